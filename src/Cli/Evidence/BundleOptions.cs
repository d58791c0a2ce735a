using System.CommandLine;
using System.Globalization;
using Bailiwick.Custody;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Evidence;

/// <summary>The pins of a bundle on the command line: what the person knows without it.</summary>
internal sealed class BundleOptions
{
    private const int NonceBytes = Attestation.EvidenceDocument.MaxNonceBytes;

    internal Option<string> Tenant { get; } = new("--tenant")
    {
        Description = "the tenant's id, which is the hash of its first root", Required = true,
    };

    internal Option<string> Domain { get; } = new("--domain")
    {
        Description = "the domain whose demands count, like web", Required = true,
    };

    internal Option<string> Host { get; } = new("--host")
    {
        Description = "the host that is asked about: its operator's id, a slash, and its name", Required = true,
    };

    internal Option<string?> Nonce { get; } = new("--nonce")
    {
        Description = "what the evidence was asked for with, in hexadecimal",
    };

    internal Option<string?> Checkpoint { get; } = new("--checkpoint")
    {
        Description = "file with a signed checkpoint that the evidence must not be older than",
    };

    internal Option<long?> Revision { get; } = new("--revision")
    {
        Description = "the newest revision of the domain's policy that you know of",
    };

    internal Option<string?> At { get; } = new("--at")
    {
        Description = "judge the expiry of policies at this time (2026-11-21T10:00:00Z) instead of now",
    };

    internal void AddTo(Command command)
    {
        foreach (Option option in (Option[])[Tenant, Domain, Host, Nonce, Checkpoint, Revision, At])
        {
            command.Add(option);
        }
    }

    internal BundlePins Pins(ParseResult parsed)
    {
        string[] host = parsed.GetRequiredValue(Host).Split('/');
        return new BundlePins
        {
            Domain = new DomainRef(Party(parsed.GetRequiredValue(Tenant)), Name(parsed.GetRequiredValue(Domain))),
            Host = host.Length == 2 ? new HostRef(Party(host[0]), Name(host[1])) : throw new CustodyException(
                "Say which operator's host: --host OPERATOR-ID/NAME."),
            Now = parsed.GetValue(At) is { } time ? Time(time) : DateTimeOffset.UtcNow,
            // The casts keep a pin that is not given apart from an empty one, which null would become.
            Nonce = parsed.GetValue(Nonce) is { } nonce ? (ReadOnlyMemory<byte>?)NonceOf(nonce) : null,
            Checkpoint = parsed.GetValue(Checkpoint) is { } file
                ? (ReadOnlyMemory<byte>?)EvidenceFile.Read(file, LedgerLimits.NoteBytes) : null,
            Revision = parsed.GetValue(Revision),
        };
    }

    internal static PartyId Party(string text) => PartyId.TryParse(text, out PartyId? id) ? id
        : throw new CustodyException($"'{text}' is no party's id; `bailiwick get Tenant` shows them.");

    internal static StatementName Name(string text) => StatementName.TryParse(text, out StatementName? name) ? name
        : throw new CustodyException($"'{text}' is no name of a statement.");

    /// <summary>A null memory is a pin that is not given; an empty one would be one that anything fits.</summary>
    internal static ReadOnlyMemory<byte> NonceOf(string hex)
    {
        try
        {
            return Convert.FromHexString(hex) is { Length: > 0 and <= NonceBytes } nonce ? nonce
                : throw new CustodyException($"A nonce has 1 to {NonceBytes} bytes.");
        }
        catch (FormatException)
        {
            throw new CustodyException($"The nonce '{hex}' is not in hexadecimal; write two digits for each byte.");
        }
    }

    internal static DateTimeOffset Time(string text) => DateTimeOffset.TryParseExact(
        text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time) ? time
        : throw new CustodyException($"'{text}' is no time like 2026-11-21T10:00:00Z.");
}
