namespace Bailiwick.Attestation.BootLog;

/// <summary>What the digest of one event of a quoted PCR vouches for.</summary>
public abstract record BootFact
{
    private BootFact()
    {
    }

    /// <summary>The event's number in the log.</summary>
    public required int Event { get; init; }

    /// <summary>The PCR that vouches for it.</summary>
    public required int Pcr { get; init; }

    /// <summary>True if no separator was measured into its PCR before it: only the firmware ran until then.</summary>
    public required bool BeforeSeparator { get; init; }

    /// <summary>The end of what the firmware measures by itself (EV_SEPARATOR).</summary>
    /// <param name="State">Whether the firmware reported an error with it.</param>
    public sealed record Separator(SeparatorState State) : BootFact;

    /// <summary>An EFI variable, wholly covered by the digest.</summary>
    /// <param name="Vendor">The GUID of the variable's name space.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Value">Its value.</param>
    public sealed record Variable(Guid Vendor, string Name, ReadOnlyMemory<byte> Value) : BootFact;

    /// <summary>Text that the digest covers: an action of the firmware, a version, a command of a boot loader, a
    /// command line.</summary>
    /// <param name="Text">The text, without a final NUL and without what the log alone puts before it.</param>
    /// <param name="Form">How it was measured.</param>
    public sealed record Phrase(string Text, PhraseForm Form) : BootFact;

    /// <summary>Something of which only the digest is known: an image, a file, a table.</summary>
    /// <param name="Digest">The digest.</param>
    /// <param name="Label">What the log calls it. Nothing vouches for that; it is for people.</param>
    /// <param name="Section">The section of a unified kernel image, where a measured name stands right before it in
    /// the same PCR; otherwise null.</param>
    public sealed record Content(ReadOnlyMemory<byte> Digest, string Label, string? Section) : BootFact
    {
        /// <summary>The digest in lower-case hexadecimal digits.</summary>
        public string Hex => Convert.ToHexStringLower(Digest.Span);
    }
}

/// <summary>What a separator says (Platform Firmware Profile, section 2.3.4). Closed.</summary>
public enum SeparatorState
{
    /// <summary>0x00000000 or 0xFFFFFFFF: all is well.</summary>
    Normal = 1,

    /// <summary>0x00000001: the firmware reported an error while measuring.</summary>
    Error,

    /// <summary>It calls itself a separator and has another digest than any.</summary>
    Unknown,
}

/// <summary>How a text was measured. Closed.</summary>
public enum PhraseForm
{
    /// <summary>The bytes of the event's data: ASCII or UTF-8.</summary>
    Plain = 1,

    /// <summary>UTF-16, as EFI programs measure it.</summary>
    Wide,

    /// <summary>The digest is of the text behind a label that the log alone puts before it, as GRUB does.</summary>
    Labelled,

    /// <summary>The text is not in the log; the host told it and its digest is the event's.</summary>
    Claimed,

    /// <summary>The firmware's version (EV_S_CRTM_VERSION), text or GUID.</summary>
    Version,
}
