using System.Diagnostics;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// A key service's order to one host, to remove from the pool what a destroyed key had opened. By then the bytes are
/// noise to everybody: the order is the second step, never the first.
/// </summary>
public sealed class ScrubOrder
{
    private ScrubOrder(ScrubbedThing thing, HostRef host, Digest32 digest)
    {
        Thing = thing;
        Host = host;
        Digest = digest;
    }

    /// <summary>What is to be scrubbed.</summary>
    public ScrubbedThing Thing { get; }

    /// <summary>The host that is asked.</summary>
    public HostRef Host { get; }

    /// <summary>SHA-256 of the order's payload; a report names it.</summary>
    public Digest32 Digest { get; }

    /// <summary>Writes and signs an order.</summary>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(ScrubbedThing thing, HostRef host, ISigner service) =>
        SignedDocument.Sign(KeyDocuments.ScrubOrder, Members(thing, host), service);

    /// <summary>SHA-256 of the payload that an order of this thing to this host has.</summary>
    public static Digest32 DigestOf(ScrubbedThing thing, HostRef host) =>
        Digest32.Of(SignedDocument.Compose(KeyDocuments.ScrubOrder, Members(thing, host)));

    /// <summary>Verifies an order; null with one sentence when it is none of this key service.</summary>
    /// <param name="envelopeJson">The order.</param>
    /// <param name="tenant">Whose key service it is.</param>
    /// <param name="service">The identity key that the tenant's root names for its key service.</param>
    /// <param name="fault">What is wrong.</param>
    public static ScrubOrder? Verify(
        ReadOnlySpan<byte> envelopeJson, PartyId tenant, PublicKey service, out string fault)
    {
        ArgumentNullException.ThrowIfNull(service);
        if (SignedDocument.Read(KeyDocuments.ScrubOrder, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        if (document.Signers(id => id == service.Id ? service : null) is SignatureVerdict.Refused refused)
        {
            fault = $"The key service {service.Id.Short} did not sign it: {refused.Clause}.";
            return null;
        }

        fault = "A member of the order has not the form it must have.";
        DocumentObject root = document.Root;
        return KeySubject.Read(root.Text("key")) is { } key && key.Tenant == tenant
            && root.Text("tenant") == tenant.ToString() && root.Text("file") == FileOf(key)
            && root.Digest("serial") is { } serial && root.Digest("seed") is { } seed
            && KeyStates.TryRead(root.Text("header"), out Digest32? header)
            && WireText.TryParse(root.Text("wipe"), out WipeMethod wipe)
            && KeyReferences.Host(root.Text("host")) is { } host
                ? new ScrubOrder(new ScrubbedThing(key, serial, seed) { Header = header, Wipe = wipe }, host,
                    document.Digest)
                : null;
    }

    /// <summary>The file, or the directory of states, that a key's bytes lie in: a name in the pool.</summary>
    public static string FileOf(KeySubject key) => key switch
    {
        KeySubject.Volume volume => DeviceNames.VolumeFile(volume.Ref, encrypted: true),
        KeySubject.MachineTpm tpm => MachineTpmPlan.NameOf(tpm.Ref),
        _ => throw new UnreachableException(),
    };

    /// <summary>The file in which a volume lies while it is filled.</summary>
    public static string FillingOf(KeySubject key) => FileOf(key) + DerivedNames.FillingSuffix;

    private static JsonObject Members(ScrubbedThing thing, HostRef host)
    {
        ArgumentNullException.ThrowIfNull(thing);
        ArgumentNullException.ThrowIfNull(host);
        return new JsonObject
        {
            ["tenant"] = thing.Key.Tenant.ToString(),
            ["key"] = thing.Key.ToString(),
            ["serial"] = thing.Serial.Hex,
            ["host"] = host.ToString(),
            ["file"] = FileOf(thing.Key),
            ["header"] = thing.Header?.Hex ?? "",
            ["wipe"] = WireText.Of(thing.Wipe),
            ["seed"] = thing.Seed.Hex,
        };
    }
}

/// <summary>What a destroyed key had opened.</summary>
/// <param name="Key">What it was the key of.</param>
/// <param name="Serial">Which key of that name.</param>
/// <param name="Seed">Drawn at the destruction: what is written over it, and where it is read back.</param>
public sealed record ScrubbedThing(KeySubject Key, Digest32 Serial, Digest32 Seed)
{
    /// <summary>
    /// The header that the key service knew; a file with another one is not touched. Null where none was known, and
    /// for the states of a TPM.
    /// </summary>
    public required Digest32? Header { get; init; }

    /// <summary>What the volume's statement asks for.</summary>
    public required WipeMethod Wipe { get; init; }
}
