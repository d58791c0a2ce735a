using System.Globalization;

namespace Bailiwick.Domains.Volumes;

/// <summary>What is gathered of one format that matches.</summary>
internal sealed class FormatReading(DiskFormat format)
{
    private readonly List<DiskFact> _facts = [];
    private readonly List<DiskRefusal> _refusals = [];

    public ulong? VirtualBytes { get; set; }

    public IReadOnlyList<DiskRefusal> Refusals => _refusals;

    public DiskMatch Match => new(format, VirtualBytes, [.. _facts]);

    public DiskFormat Format => format;

    public FormatReading Variant(string text)
    {
        _facts.Add(new DiskFact(DiskFactKind.Variant, text));
        return this;
    }

    public void Size(ulong units, ulong bytesEach) =>
        VirtualBytes = units > ulong.MaxValue / bytesEach ? ulong.MaxValue : units * bytesEach;

    public void Add(DiskFactKind kind, string value, DiskRefusalCode code, string sentence)
    {
        _facts.Add(new DiskFact(kind, value));
        _refusals.Add(new DiskRefusal(code, sentence));
    }

    public void Names(DiskFactKind kind, DiskRefusalCode code, ReadOnlySpan<byte> name)
    {
        string shown = HeaderFields.Shown(name);
        Add(kind, shown, code, $"It names another file: '{shown}'.");
    }

    public void Number(DiskFactKind kind, ulong number, DiskRefusalCode code, string sentence) =>
        Add(kind, number.ToString(CultureInfo.InvariantCulture), code, sentence);

    public void Encrypted(string how) =>
        Add(DiskFactKind.Encryption, how, DiskRefusalCode.Encrypted, $"It is encrypted by its own format ({how}).");

    public void Unknown(ulong bits) => Add(
        DiskFactKind.UnknownFeatures, bits.ToString("x", CultureInfo.InvariantCulture),
        DiskRefusalCode.UnknownFeatures, $"It has features that nobody knows (bits {bits:x}).");

    public void Damaged(string what, DiskRefusalCode code = DiskRefusalCode.Malformed) =>
        Add(DiskFactKind.Damage, what, code, $"{what}.");

    /// <summary>That the file has at least so many bytes, for a header or what it points to.</summary>
    public void Needs(DiskReads file, ulong offset, ulong count, string what)
    {
        if (offset > (ulong)file.Length || count > (ulong)file.Length - offset)
        {
            Damaged($"The {what} is not all there", DiskRefusalCode.Truncated);
        }
    }
}
