using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;
using HeldVolume = Bailiwick.Proxy.Storage.HeldVolume;

namespace Bailiwick.Proxy.Restarting;

/// <summary>
/// Asks the tenants' key services, and opens a key again where one is silent and the tenant allowed it. The key service
/// is always asked first: what it says, yes or no, goes before any restart lease. Each use is in the integrity log
/// before the key is opened, so that the key service learns of it from the next proof.
/// </summary>
/// <param name="services">The key services.</param>
/// <param name="leases">What is kept.</param>
/// <param name="integrity">The integrity log.</param>
/// <param name="tpmPart">Has this host's TPM give out its part of a kept release, in its state of now.</param>
public sealed class RestartingKeys(
    IVolumeKeys services, RestartLeases leases, IntegrityManager integrity,
    Func<JsonElement, ReadOnlyMemory<byte>, SecretBytes> tpmPart) : IVolumeKeys
{
    /// <summary>How long a key service may take to answer where a restart does not depend on it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task<VolumeKeyAnswer> RequestAsync(
        VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(question);
        if (question.Copy is not null)
        {
            // It is read once and given back; what is said of that says nothing of a machine that may be restarted.
            return await services.RequestAsync(question, about, stop).ConfigureAwait(false);
        }

        string key = question.Key.ToString();
        TimeSpan asked = leases.Now;
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (leases.IsKept(question.Plan, key))
        {
            limit.CancelAfter(Patience);
        }

        try
        {
            VolumeKeyAnswer answer = await services.RequestAsync(question, about, limit.Token).ConfigureAwait(false);
            Learn(question, answer, asked);
            return answer;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return Reopened(question, new KeyServiceSilentException(question.Key, "The key service does not answer."));
        }
        catch (KeyServiceSilentException silent)
        {
            return Reopened(question, silent);
        }
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<string>> BindAsync(
        KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop)
    {
        ImmutableArray<string> against = await services.BindAsync(volume, nonce, header, stop).ConfigureAwait(false);
        if (against.IsEmpty)
        {
            leases.Bind(volume, nonce, header);
        }

        return against;
    }

    /// <inheritdoc/>
    public Task<string> ReturnAsync(EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(volume);
        // Before it is said: whoever hears it may give the key to another host, whether we hear the answer or not.
        if (volume.CopiedInto.Length == 0)
        {
            leases.End(volume.Volume, "its key is given back.");
        }

        return services.ReturnAsync(plan, volume, state, stop);
    }

    /// <inheritdoc/>
    public bool IsKept(EnforcedPlan plan, HeldVolume volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return leases.IsKept(plan, volume.Volume);
    }

    private void Learn(VolumeKeyQuestion question, VolumeKeyAnswer answer, TimeSpan asked)
    {
        switch (answer)
        {
            case VolumeKeyAnswer.Released { Restart: { } offer }:
                leases.Keep(question, offer, asked);
                break;
            case VolumeKeyAnswer.Released:
                leases.End(question.Key.ToString(), "its key service released the key without one.");
                break;
            case VolumeKeyAnswer.Refused refused:
                leases.End(question.Key.ToString(), $"its key service refused: {string.Join(" ", refused.Reasons)}");
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <exception cref="WorldException">
    /// There is no restart lease, or no record of its use can be made, or the TPM does not open it in its state of now.
    /// </exception>
    private VolumeKeyAnswer.Released Reopened(VolumeKeyQuestion question, KeyServiceSilentException silent)
    {
        string key = question.Key.ToString();
        switch (leases.Decide(question))
        {
            case null:
                throw leases.WhyEnded(key) is { } why ? Because(question, silent, $"Its restart lease ended: {why}")
                    : silent;
            case RestartVerdict.Refused refused:
                throw Because(question, silent, string.Join(" ", refused.Refusals.Select(one => one.Sentence)));
            case RestartVerdict.Permitted permitted:
                return Open(question, permitted, silent);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private VolumeKeyAnswer.Released Open(
        VolumeKeyQuestion question, RestartVerdict.Permitted permitted, KeyServiceSilentException silent)
    {
        integrity.Record(
            IntegrityKind.KeyReopened, IntegrityReaders.Of(question.Key.Tenant, question.Compartment.Tenant),
            question.Key.ToString(),
            $"For a restart of {question.Compartment}, {(long)permitted.Left.TotalSeconds} s before the end of its "
            + $"restart lease. {silent.Stderr}");
        if (leases.Find(permitted) is not { } offer)
        {
            throw Because(question, silent, "Its restart lease ended.");
        }

        try
        {
            return new VolumeKeyAnswer.Released(offer.Kept.Open(tpmPart));
        }
        catch (Exception error) when (error is KeyServiceException or ObjectDisposedException)
        {
            throw Because(question, silent, error.Message);
        }
    }

    private static WorldException Because(
        VolumeKeyQuestion question, KeyServiceSilentException silent, string sentence) => new(
            ["open without asking", question.Key.ToString()], -1, $"{silent.Stderr} {sentence}");
}
