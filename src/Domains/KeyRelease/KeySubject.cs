using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>What a key opens. A closed set; each has one text.</summary>
public abstract record KeySubject
{
    private const string TpmSuffix = ".tpm";

    private KeySubject()
    {
    }

    /// <summary>Whose key it is.</summary>
    public abstract PartyId Tenant { get; }

    /// <summary>Reads the text exactly as <see cref="object.ToString"/> writes it; null for any other text.</summary>
    public static KeySubject? Read(string? text) =>
        text is not null && text.EndsWith(TpmSuffix, StringComparison.Ordinal)
            ? KeyReferences.Compartment(text[..^TpmSuffix.Length]) is { } machine ? new MachineTpm(machine) : null
            : KeyReferences.Volume(text) is { } volume ? new Volume(volume) : null;

    /// <summary>A volume.</summary>
    public sealed record Volume(VolumeRef Ref) : KeySubject
    {
        /// <inheritdoc/>
        public override PartyId Tenant => Ref.Tenant;

        /// <summary><c>&lt;tenant id&gt;/&lt;name&gt;</c>.</summary>
        public override string ToString() => Ref.ToString();
    }

    /// <summary>The state of a machine's own TPM.</summary>
    public sealed record MachineTpm(CompartmentRef Ref) : KeySubject
    {
        /// <inheritdoc/>
        public override PartyId Tenant => Ref.Tenant;

        /// <summary><c>&lt;tenant id&gt;/&lt;name&gt;.tpm</c>; no statement's name has a dot.</summary>
        public override string ToString() => Ref + TpmSuffix;
    }
}
