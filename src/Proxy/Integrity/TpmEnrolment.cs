using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Channel.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Enrols this host's TPM with the tenants whose keys it will need, each once in a while of this process: the key
/// service keeps what it found, and asking again changes nothing.
/// </summary>
public sealed class TpmEnrolment(HostTpm? tpm) : IDisposable
{
    // A key service has one challenge open for a host: a second one would make the answer to the first wrong.
    private readonly SemaphoreSlim _one = new(1);
    private readonly ConcurrentDictionary<PartyId, ImmutableArray<string>> _done = [];

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
            await client.CompleteEnrolment(tpm.Answer(challenge), stop).ConfigureAwait(false);
            _done[tenant] = challenge.Doubts;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Enrols again at the next need: the key service said that it knows no enrolment of this host.</summary>
    public void Forget(PartyId tenant) => _done.TryRemove(tenant, out _);

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();
}
