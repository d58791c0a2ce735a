using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Wire;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Enrols this host's TPM with the tenants whose keys it will need, each once in a while of this process: the key
/// service keeps what it found, and asking again changes nothing.
/// </summary>
public sealed class TpmEnrolment(HostTpm? tpm, PrivateDirectory directory) : IDisposable
{
    private const string FileName = "enrolments.json";
    private const int MaxFileBytes = 4 * 1024 * 1024;
    // A key service has one challenge open for a host: a second one would make the answer to the first wrong.
    private readonly SemaphoreSlim _one = new(1);
    private readonly ConcurrentDictionary<PartyId, ImmutableArray<string>> _done = [];
    private ImmutableDictionary<string, JsonElement> _documents = Kept(directory);

    /// <summary>
    /// What tenants' key services signed of this TPM, for others who verify for the same tenants. Kept over a restart,
    /// so that a key service that is down takes no network away.
    /// </summary>
    public ImmutableArray<JsonElement> Documents => [.. _documents.Values];

    /// <summary>Why no vendor vouches for this TPM in the eyes of a tenant; empty when one does.</summary>
    public ImmutableArray<string> DoubtsOf(PartyId tenant) => _done.GetValueOrDefault(tenant, []);

    /// <summary>Enrols with a tenant, if this host has a TPM and has not done so.</summary>
    /// <exception cref="KeyServiceException">The key service refuses or cannot be asked.</exception>
    /// <exception cref="WorldException">The TPM does not answer.</exception>
    public async Task EnsureAsync(PartyId tenant, KeyServiceClient client, CancellationToken stop)
    {
        if (tpm is null || _done.ContainsKey(tenant))
        {
            return;
        }

        await _one.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (_done.ContainsKey(tenant))
            {
                return;
            }

            EnrolmentChallengeBody challenge = await client.BeginEnrolment(tpm.Claim(), stop).ConfigureAwait(false);
            EnrolledBody enrolled = await client.CompleteEnrolment(tpm.Answer(challenge), stop).ConfigureAwait(false);
            _documents = _documents.SetItem(tenant.ToString(), enrolled.Enrolment);
            DurableFile.Replace(directory, FileName, StrictJson.Write(_documents));
            _done[tenant] = challenge.Doubts;
        }
        catch (DurableException error)
        {
            throw new WorldException(["keep the enrolment with", tenant.Short], -1, error.Message);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Enrols again with a tenant, although it was done; the key service may hold another key, or none.
    /// </summary>
    /// <exception cref="KeyServiceException">The key service refuses or cannot be asked.</exception>
    /// <exception cref="WorldException">This host has no TPM, or it does not answer.</exception>
    public Task RepeatAsync(PartyId tenant, KeyServiceClient client, CancellationToken stop)
    {
        if (tpm is null)
        {
            throw new WorldException(["enrol with", tenant.Short], -1, "this host is configured without a TPM");
        }

        Forget(tenant);
        return EnsureAsync(tenant, client, stop);
    }

    private static ImmutableDictionary<string, JsonElement> Kept(PrivateDirectory directory) =>
        DurableFile.Read(directory, FileName, MaxFileBytes) is { } bytes
            ? StrictJson.Read<ImmutableDictionary<string, JsonElement>>(bytes, MaxFileBytes)
            : ImmutableDictionary<string, JsonElement>.Empty;

    /// <summary>Enrols again at the next need: the key service said that it knows no enrolment of this host.</summary>
    public void Forget(PartyId tenant) => _done.TryRemove(tenant, out _);

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();
}
