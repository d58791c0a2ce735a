using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.BootLog;

/// <summary>
/// Classifies events by what their digests cover. Separators are known by their digest and not by their type, so that
/// none can be hidden under another name.
/// </summary>
internal sealed class BootFactReader : IDisposable
{
    // What GRUB 2.04 and later put before the text they measure; older ones have no colon.
    private static readonly byte[][] Labels =
    [
        "grub_cmd: "u8.ToArray(), "kernel_cmdline: "u8.ToArray(), "module_cmdline: "u8.ToArray(),
        "grub_cmd "u8.ToArray(), "grub_kernel_cmdline "u8.ToArray(), "grub_module_cmdline "u8.ToArray(),
    ];

    private readonly TpmHash _bank;

    // One for all events: to begin a hash anew costs more than to hash what most events have.
    private readonly IncrementalHash _hash;
    private readonly (string Text, byte[] Digest)[] _claims;
    private readonly byte[][] _normal;
    private readonly byte[][] _error;
    private readonly string?[] _sections = new string?[BootLogLimits.Pcrs];
    private int _separated;

    internal BootFactReader(TpmHash bank, IEnumerable<string> claims)
    {
        _bank = bank;
        _hash = IncrementalHash.CreateHash(bank.PlatformName());
        _normal = [Of([0, 0, 0, 0]), Of([0xFF, 0xFF, 0xFF, 0xFF])];
        _error = [Of([1, 0, 0, 0]), Of([0, 0, 0, 1])];
        _claims = [.. claims.Take(16).SelectMany(Claims)];
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    internal BootFact Read(BootEvent one)
    {
        int pcr = (int)one.Pcr;
        bool before = (_separated & (1 << pcr)) == 0;
        ReadOnlySpan<byte> digest = one.Digest(_bank);
        string? section = _sections[pcr];
        _sections[pcr] = null;
        if (SeparatorOf(one, digest) is { } state)
        {
            _separated |= 1 << pcr;
            return new BootFact.Separator(state) { Event = one.Number, Pcr = pcr, BeforeSeparator = before };
        }

        BootFact fact = (BootFact?)Variable(one, digest) ?? (BootFact?)Phrase(one, digest)
            ?? new BootFact.Content(digest.ToArray(), LabelOf(one), section)
            {
                Event = one.Number, Pcr = pcr, BeforeSeparator = before,
            };

        // A unified kernel image measures the name of each section, then the section (systemd-stub(7)).
        if (fact is BootFact.Phrase { Text: ['.', ..] name } && section is null)
        {
            _sections[pcr] = name;
        }

        return fact with { BeforeSeparator = before };
    }

    private static string LabelOf(BootEvent one) => one.Type is BootEventType.EfiBootServicesApplication
        or BootEventType.EfiBootServicesDriver or BootEventType.EfiRuntimeServicesDriver
        ? ImagePath.Read(one.Data)
        : MeasuredText.Label(one.Data);

    private SeparatorState? SeparatorOf(BootEvent one, ReadOnlySpan<byte> digest) =>
        IsOneOf(_normal, digest) ? SeparatorState.Normal
        : IsOneOf(_error, digest) ? SeparatorState.Error
        : one is { Type: BootEventType.Separator, Pcr: <= 7 } ? SeparatorState.Unknown
        : null;

    private BootFact.Variable? Variable(BootEvent one, ReadOnlySpan<byte> digest) =>
        EfiVariable.Extent(one.Data) is { } extent && Covers(one.Data[..extent], digest)
        && EfiVariable.Read(one.Data[..extent]) is { } found
            ? new BootFact.Variable(found.Vendor, found.Name, found.Value)
            {
                Event = one.Number, Pcr = (int)one.Pcr, BeforeSeparator = false,
            }
            : null;

    private BootFact.Phrase? Phrase(BootEvent one, ReadOnlySpan<byte> digest)
    {
        (string Text, PhraseForm Form)? found = one.Data.Length <= BootLogLimits.TextBytes
            ? Text(one, digest) ?? Claimed(digest) : null;
        return found is { } phrase
            ? new BootFact.Phrase(phrase.Text, phrase.Form)
            {
                Event = one.Number, Pcr = (int)one.Pcr, BeforeSeparator = false,
            }
            : null;
    }

    private (string Text, PhraseForm Form)? Text(BootEvent one, ReadOnlySpan<byte> digest)
    {
        ReadOnlySpan<byte> data = one.Data;
        if (one.Type == BootEventType.CrtmVersion && Covers(data, digest))
        {
            return (VersionOf(data), PhraseForm.Version);
        }

        if (MeasuredText.Utf8(data) is { } plain)
        {
            // A label is looked for first: where there is one, the digest is nearly always of what stands behind it.
            return Labelled(data, digest) ?? (CoversText(data, digest, 1) ? (plain, PhraseForm.Plain) : null);
        }

        if (MeasuredText.Utf16(data) is not { } wide)
        {
            return null;
        }

        // systemd-stub logs a section's name in UTF-16 and measures it in ASCII.
        return CoversText(data, digest, 2) || CoversText(Encoding.ASCII.GetBytes(wide), digest, 1)
            ? (wide, PhraseForm.Wide)
            : null;
    }

    private (string Text, PhraseForm Form)? Labelled(ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest)
    {
        foreach (byte[] label in Labels)
        {
            if (data.StartsWith(label) && CoversText(data[label.Length..], digest, 1)
                && MeasuredText.Utf8(data[label.Length..]) is { } text)
            {
                return (text, PhraseForm.Labelled);
            }
        }

        return null;
    }

    private (string Text, PhraseForm Form)? Claimed(ReadOnlySpan<byte> digest)
    {
        foreach ((string text, byte[] claimed) in _claims)
        {
            if (digest.SequenceEqual(claimed))
            {
                return (text, PhraseForm.Claimed);
            }
        }

        return null;
    }

    /// <summary>Loaders measure a text with its final NUL or without, and log it with or without.</summary>
    private bool CoversText(ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, int nulBytes)
    {
        ReadOnlySpan<byte> nul = stackalloc byte[nulBytes];
        ReadOnlySpan<byte> bare = data.EndsWith(nul) ? data[..^nulBytes] : data;
        return Covers(bare, digest) || Covers(bare, nul, digest);
    }

    private static string VersionOf(ReadOnlySpan<byte> data) =>
        data.Length > 2 && data[1] == 0 && MeasuredText.Utf16(data) is { } wide ? wide
        : data.IndexOfAnyExcept((byte)0) < 0 ? ""
        : MeasuredText.Utf8(data) is { } text && !text.Any(char.IsControl) ? text
        : data.Length == 16 ? new Guid(data).ToString() : Convert.ToHexStringLower(data);

    private IEnumerable<(string Text, byte[] Digest)> Claims(string text)
    {
        byte[] wide = Encoding.Unicode.GetBytes(text);
        return [(text, Of([.. wide, 0, 0])), (text, Of(wide))];
    }

    private bool Covers(ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest) => Covers(data, default, digest);

    private bool Covers(ReadOnlySpan<byte> data, ReadOnlySpan<byte> end, ReadOnlySpan<byte> digest)
    {
        Span<byte> hash = stackalloc byte[BootLogLimits.DigestBytes];
        _hash.AppendData(data);
        _hash.AppendData(end);
        return hash[.._hash.GetHashAndReset(hash)].SequenceEqual(digest);
    }

    private byte[] Of(ReadOnlySpan<byte> data) => _bank.Digest(data);

    private static bool IsOneOf(byte[][] digests, ReadOnlySpan<byte> digest)
    {
        foreach (byte[] one in digests)
        {
            if (digest.SequenceEqual(one))
            {
                return true;
            }
        }

        return false;
    }
}
