using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Ledger.Documents;

/// <summary>
/// A canonical JSON payload in a DSSE envelope that is not a statement: evidence, a request, an approval. It belongs
/// to no chain; who signed it, and whether it is fresh, is judged by who asked for it. Until
/// <see cref="Signers"/> has been asked, nothing in it is verified.
/// </summary>
public sealed class SignedDocument
{
    private readonly Envelope _envelope;

    private SignedDocument(Envelope envelope, DocumentObject root)
    {
        _envelope = envelope;
        Root = root;
        Digest = Digest32.Of(envelope.Payload);
    }

    /// <summary>What it says.</summary>
    public DocumentObject Root { get; }

    /// <summary>SHA-256 of the payload.</summary>
    public Digest32 Digest { get; }

    /// <summary>The ids of the keys it claims to be signed by, in the order of the envelope.</summary>
    public ImmutableArray<KeyId> ClaimedSigners => [.. _envelope.Signatures.Select(signature => signature.Key)];

    /// <summary>Writes and signs a document.</summary>
    /// <param name="format">What it is.</param>
    /// <param name="members">Its members except `bailiwick`, which is added.</param>
    /// <param name="signers">Who signs, in this order.</param>
    /// <returns>The envelope as canonical JSON.</returns>
    /// <exception cref="ArgumentException">The members are not the format's, or have no canonical form.</exception>
    public static byte[] Sign(DocumentFormat format, JsonObject members, params IReadOnlyList<ISigner> signers)
    {
        ArgumentNullException.ThrowIfNull(signers);
        var payload = Compose(format, members);
        var signed = Envelope.PreAuthEncoding(format.MediaType, payload);
        var signatures = signers.Select(signer => new EnvelopeSignature(signer.Id, [.. signer.Sign(signed)]));
        return EnvelopeWriter.Assemble(payload, format.MediaType, [.. signatures]);
    }

    /// <summary>The canonical payload of a document.</summary>
    /// <exception cref="ArgumentException">The members are not the format's, or have no canonical form.</exception>
    public static byte[] Compose(DocumentFormat format, JsonObject members)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(members);
        var whole = new JsonObject { ["bailiwick"] = format.Version };
        foreach (var (name, value) in members)
        {
            whole[name] = value?.DeepClone();
        }

        var root = JsonSerializer.SerializeToElement(whole);
        return JsonMembers.AreExactly(root, format.AllMembers)
            ? CanonicalJson.Write(root)
            : throw new ArgumentException(
                $"A {format.Version} has exactly the members {string.Join(", ", format.AllMembers)}.", nameof(members));
    }

    /// <summary>Reads a document; never throws for what the bytes contain.</summary>
    /// <param name="format">What it must be.</param>
    /// <param name="envelopeJson">A DSSE envelope as canonical JSON.</param>
    public static DocumentReading Read(DocumentFormat format, ReadOnlySpan<byte> envelopeJson)
    {
        ArgumentNullException.ThrowIfNull(format);
        return Envelope.Read(envelopeJson) switch
        {
            EnvelopeReading.Refused refused => new DocumentReading.Rejected(refused.Sentence),
            EnvelopeReading.Read read => Read(format, read.Envelope),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Reads a document; null with one sentence when it is none of this format.</summary>
    /// <param name="format">What it must be.</param>
    /// <param name="envelopeJson">A DSSE envelope as canonical JSON.</param>
    /// <param name="fault">Why not; empty when it is one.</param>
    public static SignedDocument? Read(DocumentFormat format, ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        switch (Read(format, envelopeJson))
        {
            case DocumentReading.Rejected rejected:
                fault = rejected.Sentence;
                return null;
            case DocumentReading.Understood { Document: var document }:
                fault = "";
                return document;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// Checks every signature. The answer is the distinct keys that signed, only if there is at least one, each is
    /// one that <paramref name="find"/> knows, none is there twice and all verify.
    /// </summary>
    /// <param name="find">The key with this id that may sign here, or null.</param>
    public SignatureVerdict Signers(Func<KeyId, PublicKey?> find)
    {
        ArgumentNullException.ThrowIfNull(find);
        var keys = ImmutableArray.CreateBuilder<PublicKey>();
        var signed = Envelope.PreAuthEncoding(_envelope.PayloadType, _envelope.Payload);
        foreach (var signature in _envelope.Signatures)
        {
            if (find(signature.Key) is not { } key || key.Id != signature.Key)
            {
                return new SignatureVerdict.Refused($"the key {signature.Key.Short} is not one that may sign this");
            }

            if (keys.Contains(key))
            {
                return new SignatureVerdict.Refused($"the key {key.Id.Short} signed twice");
            }

            if (!key.Verifies(signed, signature.Value.AsSpan()))
            {
                return new SignatureVerdict.Refused($"the signature by {key.Id.Short} does not verify");
            }

            keys.Add(key);
        }

        return keys.Count > 0
            ? new SignatureVerdict.Verified(keys.ToImmutable())
            : new SignatureVerdict.Refused("there is no signature");
    }

    private static DocumentReading Read(DocumentFormat format, Envelope envelope)
    {
        if (!string.Equals(envelope.PayloadType, format.MediaType, StringComparison.Ordinal))
        {
            return new DocumentReading.Rejected($"The payload's type must be {format.MediaType}.");
        }

        switch (CanonicalJson.ParseCanonical(envelope.Payload))
        {
            case JsonReading.Rejected rejected:
                return new DocumentReading.Rejected($"The payload is {rejected.Fault.Clause}.");
            case JsonReading.Understood { Root: var root }:
                return JsonMembers.AreExactly(root, format.AllMembers)
                    && JsonMembers.Text(root, "bailiwick") == format.Version
                        ? new DocumentReading.Understood(new SignedDocument(envelope, new DocumentObject(root)))
                        : new DocumentReading.Rejected(
                            $"A {format.Version} has exactly the members {string.Join(", ", format.AllMembers)}.");
            default:
                throw new UnreachableException();
        }
    }
}
