using Bailiwick.Ledger;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What a key service knows of the state of a machine's TPM, so that a copy of it and an older one come to nothing: the
/// key is released only for the state that was returned last. Closed; kept with the key, and each has one text.
/// </summary>
public abstract record TpmStateMark
{
    private const string OutPrefix = "out ";
    private const string ReturnedPrefix = "returned ";

    private TpmStateMark()
    {
    }

    /// <summary>Reads the text that <see cref="Text"/> gives; null for any other.</summary>
    public static TpmStateMark? Read(string? text) => text switch
    {
        "new" => new New(),
        "open" => new Open(),
        ReturnedPrefix + "blank" => new Returned(null),
        not null when text.StartsWith(OutPrefix, StringComparison.Ordinal) =>
            Guid.TryParseExact(text[OutPrefix.Length..], "D", out var boot) && new Out(boot).Text == text
                ? new Out(boot) : null,
        not null when text.StartsWith(ReturnedPrefix, StringComparison.Ordinal) =>
            Digest32.TryParse(text[ReturnedPrefix.Length..], out var state) ? new Returned(state) : null,
        _ => null,
    };

    /// <summary>Its text.</summary>
    public abstract string Text { get; }

    /// <summary>No host ever had the key: there is no state but a blank one.</summary>
    public sealed record New : TpmStateMark
    {
        /// <inheritdoc/>
        public override string Text => "new";
    }

    /// <summary>
    /// A host has the key and goes on writing the state. What it shows counts as long as it is the same boot of the
    /// same host; after that nobody knows which state is the newest.
    /// </summary>
    /// <param name="Boot">The holder's boot.</param>
    public sealed record Out(Guid Boot) : TpmStateMark
    {
        /// <inheritdoc/>
        public override string Text => $"{OutPrefix}{Boot:D}";
    }

    /// <summary>The last host gave it back in this state.</summary>
    /// <param name="State">SHA-256 of the encrypted state; null when it was still blank.</param>
    public sealed record Returned(Digest32? State) : TpmStateMark
    {
        /// <inheritdoc/>
        public override string Text => ReturnedPrefix + (State?.Hex ?? "blank");
    }

    /// <summary>Root keys took it from its holder: they answer for the state that is shown next.</summary>
    public sealed record Open : TpmStateMark
    {
        /// <inheritdoc/>
        public override string Text => "open";
    }
}
