using Bailiwick.Attestation.Enrolment;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Enrolling;

/// <summary>
/// Which attestation key of which TPM stands for which host, as this key service found out itself. The first TPM that
/// answers for a host keeps it: a later one is refused until the tenant forgets the first. What was enrolled is durable
/// before the host learns of it. Each record is the enrolment as it was signed, or what was forgotten.
/// </summary>
public sealed class EnrolmentBook : IDisposable
{
    private const string FileName = "enrolments.log";
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (EnrolledKey Key, long Since)> _byHost = new(StringComparer.Ordinal);
    private readonly ISigner _service;
    private readonly AppendLog _log;

    private EnrolmentBook(PrivateDirectory directory, PartyId tenant, PublicKey key, ISigner service)
    {
        _service = service;
        _log = AppendLog.Open(directory, FileName, record =>
        {
            if (EnrolmentDocument.Verify(record.Payload.Span, tenant, key, out string fault) is { } kept)
            {
                Take(kept, record.Index);
            }
            else if (ForgottenDocument.Verify(record.Payload.Span, tenant, key) is not var (host, bound)
                || BoundOf(host) != bound || !_byHost.Remove(host))
            {
                throw new CustodyException(
                    $"Record {record.Index} of {FileName} is none of ours: {fault} Restore it from a copy.");
            }
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
            return _byHost.GetValueOrDefault(host).Key;
        }
    }

    /// <summary>The TPM that has a host, and since when; null when none has.</summary>
    public BoundTpm? BoundOf(string host)
    {
        lock (_gate)
        {
            return _byHost.TryGetValue(host, out var bound)
                ? new BoundTpm(bound.Key.EndorsementKey, bound.Since)
                : null;
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
            if (_byHost.TryGetValue(key.Host, out var before) && before.Key.EndorsementKey != key.EndorsementKey)
            {
                return null;
            }

            byte[] document = EnrolmentDocument.Write(key, _service);
            long record = _log.Count;
            _log.Append(document);
            Take(key, record);
            return (document, record);
        }
    }

    /// <summary>Forgets a host's TPM; durable when it returns. Null when another, or none, has the host by now.
    /// </summary>
    /// <returns>The position of the record.</returns>
    public long? Forget(ForgetVerdict.Approved approved)
    {
        ArgumentNullException.ThrowIfNull(approved);
        string host = approved.Request.Host.ToString();
        lock (_gate)
        {
            if (BoundOf(host) != approved.Request.Bound)
            {
                return null;
            }

            long record = _log.Count;
            _log.Append(ForgottenDocument.Write(approved.Request, _service));
            _byHost.Remove(host);
            return record;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();

    /// <summary>A TPM that enrols again has its host since the first time.</summary>
    private void Take(EnrolledKey key, long record) => _byHost[key.Host] = (
        key,
        _byHost.TryGetValue(key.Host, out var before) && before.Key.EndorsementKey == key.EndorsementKey
            ? before.Since
            : record);
}
