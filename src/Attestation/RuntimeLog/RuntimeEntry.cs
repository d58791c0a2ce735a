using System.Buffers.Binary;

namespace Bailiwick.Attestation.RuntimeLog;

/// <summary>
/// One entry of a runtime log, as it lies there (Linux, security/integrity/ima/ima_fs.c, ima_measurements_show). Its
/// parts are worth what the PCR is worth: believed only as part of a prefix that a quote matches.
/// </summary>
public readonly ref struct RuntimeEntry
{
    private readonly ReadOnlySpan<byte> _name;

    internal RuntimeEntry(uint pcr, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Pcr = pcr;
        TemplateDigest = digest;
        _name = name;
        TemplateData = data;
    }

    /// <summary>The PCR it was extended into.</summary>
    public uint Pcr { get; }

    /// <summary>The SHA-1 digest that the entry carries, or zeros for a violation.</summary>
    public ReadOnlySpan<byte> TemplateDigest { get; }

    /// <summary>The template's name, ASCII.</summary>
    public ReadOnlySpan<byte> TemplateName => _name;

    /// <summary>What is hashed: the fields, each behind its length (`ima`: digest, length and name as logged).
    /// </summary>
    public ReadOnlySpan<byte> TemplateData { get; }

    /// <summary>
    /// True where a file was written while it was measured, or opened for writing while it was in use: the PCR is
    /// extended with ones, and what the entry says of the file counts for nothing.
    /// </summary>
    public bool IsViolation => TemplateDigest.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>True for the oldest template, whose fields are laid out differently.</summary>
    internal bool IsOldest => _name.SequenceEqual("ima"u8);

    /// <summary>What a file's measurement says; false where the template has no file or is not known.</summary>
    public bool TryReadFile(out RuntimeFile file)
    {
        file = default;
        if (IsOldest)
        {
            ReadOnlySpan<byte> data = TemplateData;
            file = new RuntimeFile("sha1"u8, data[..20], data[24..], default);
            return true;
        }

        if (RuntimeTemplate.Of(_name) is not { HasFile: true } template)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = TemplateData;
        if (!TakeField(ref rest, out ReadOnlySpan<byte> digest) || !TakeField(ref rest, out ReadOnlySpan<byte> path))
        {
            return false;
        }

        ReadOnlySpan<byte> signature = default;
        if (template.HasSignature && !TakeField(ref rest, out signature))
        {
            return false;
        }

        // "sha256:" NUL digest; the second version has "ima:" or "verity:" before it.
        int nul = digest.IndexOf((byte)0);
        if (nul < 2 || digest[nul - 1] != ':' || !path.EndsWith("\0"u8))
        {
            return false;
        }

        ReadOnlySpan<byte> algorithm = digest[..(nul - 1)];
        int kind = algorithm.LastIndexOf((byte)':');
        if (kind >= 0 && !algorithm[..kind].SequenceEqual("ima"u8))
        {
            return false;
        }

        file = new RuntimeFile(algorithm[(kind + 1)..], digest[(nul + 1)..], path[..^1], signature);
        return true;
    }

    private static bool TakeField(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (rest.Length < sizeof(uint))
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        rest = rest[sizeof(uint)..];
        if (length > (uint)rest.Length)
        {
            return false;
        }

        field = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }
}

/// <summary>A measured file.</summary>
public readonly ref struct RuntimeFile
{
    internal RuntimeFile(
        ReadOnlySpan<byte> algorithm, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> path, ReadOnlySpan<byte> signature)
    {
        Algorithm = algorithm;
        Digest = digest;
        Path = path;
        Signature = signature;
    }

    /// <summary>The name of the hash, ASCII: `sha256`.</summary>
    public ReadOnlySpan<byte> Algorithm { get; }

    /// <summary>The digest of the file's content.</summary>
    public ReadOnlySpan<byte> Digest { get; }

    /// <summary>Its path, as bytes: Linux does not say what they mean.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>The signature in its extended attribute, or empty. The kernel has not checked it.</summary>
    public ReadOnlySpan<byte> Signature { get; }
}

/// <summary>What is known of a template (Linux, ima_template.c).</summary>
internal sealed record RuntimeTemplate(bool HasFile, bool HasSignature)
{
    private static readonly RuntimeTemplate
        File = new(true, false), Signed = new(true, true), Buffer = new(false, false);

    /// <summary>
    /// The template of this name, or of these fields where Linux was told them on its command line; null for one that
    /// is not known.
    /// </summary>
    internal static RuntimeTemplate? Of(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("ima-ng"u8) || name.SequenceEqual("ima"u8) || name.SequenceEqual("ima-ngv2"u8)
            || name.SequenceEqual("evm-sig"u8) ? File
        : name.SequenceEqual("ima-sig"u8) || name.SequenceEqual("ima-modsig"u8) || name.SequenceEqual("ima-sigv2"u8)
            ? Signed
        : name.SequenceEqual("ima-buf"u8) || name.SequenceEqual("d-ng|n-ng|buf"u8) ? Buffer
        : name.StartsWith("d-ng|n-ng|sig"u8) || name.StartsWith("d-ngv2|n-ng|sig"u8) ? Signed
        : name.StartsWith("d-ng|n-ng"u8) || name.StartsWith("d-ngv2|n-ng"u8) ? File
        : null;
}
