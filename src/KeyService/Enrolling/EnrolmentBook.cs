using Bailiwick.Attestation.Enrolment;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Enrolling;

/// <summary>
/// Which attestation key of which TPM stands for which host, as this key service found out itself. The first TPM that
/// answers for a host keeps it: a later one is refused until the tenant forgets the first. What was enrolled is durable
/// before the host learns of it. Each record is the enrolment as it was signed.
/// </summary>
public sealed class EnrolmentBook : IDisposable
{
    private const string FileName = "enrolments.log";
    private readonly Lock _gate = new();
    private readonly Dictionary<string, EnrolledKey> _byHost = new(StringComparer.Ordinal);
    private readonly ISigner _service;
    private readonly AppendLog _log;

    private EnrolmentBook(PrivateDirectory directory, PartyId tenant, PublicKey key, ISigner service)
    {
        _service = service;
        _log = AppendLog.Open(directory, FileName, record =>
        {
            EnrolledKey kept = EnrolmentDocument.Verify(record.Payload.Span, tenant, key, out string fault)
                ?? throw new CustodyException(
                    $"Record {record.Index} of {FileName} is none of ours: {fault} Restore it from a copy.");
            _byHost[kept.Host] = kept;
        });
    }

    /// <summary>Opens the book, or begins one, and verifies every record.</summary>
    /// <param name="directory">Where it lies.</param>
    /// <param name="tenant">The tenant served.</param>
    /// <param name="key">The key service's own key.</param>
    /// <param name="service">Signs with it.</param>
    /// <exception cref="CustodyException">A record was not signed by this key service.</exception>
    public static EnrolmentBook Open(
        PrivateDirectory directory, PartyId tenant, PublicKey key, ISigner service) =>
        new(directory, tenant, key, service);

    /// <summary>The key enrolled for a host, or null.</summary>
    public EnrolledKey? Find(string host)
    {
        lock (_gate)
        {
            return _byHost.GetValueOrDefault(host);
        }
    }

    /// <summary>
    /// Keeps a key; durable when it returns. Null when another TPM has the host. A new attestation key of the same TPM
    /// takes the place of the old one: the challenge proved that it lives there.
    /// </summary>
    /// <returns>The signed enrolment and its position.</returns>
    public (byte[] Document, long Record)? Keep(EnrolledKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        lock (_gate)
        {
            if (_byHost.TryGetValue(key.Host, out var before) && before.EndorsementKey != key.EndorsementKey)
            {
                return null;
            }

            byte[] document = EnrolmentDocument.Write(key, _service);
            long record = _log.Count;
            _log.Append(document);
            _byHost[key.Host] = key;
            return (document, record);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();
}
