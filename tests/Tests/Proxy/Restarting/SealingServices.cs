using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;
using HeldVolume = Bailiwick.Proxy.Storage.HeldVolume;

namespace Bailiwick.Tests.Proxy.Restarting;

/// <summary>A key service of one key, which really seals it; and the TPM that gives out a part of each seal.</summary>
internal sealed class SealingServices : IVolumeKeys, IDisposable
{
    private readonly SecretBytes _key = SecretBytes.Random(KeySeal.KeyLength);
    private readonly SecretBytes _part = SecretBytes.Random(KeySeal.KeyLength);

    public bool Silent { get; set; }

    /// <summary>It takes a request and never answers it.</summary>
    public bool Hangs { get; set; }

    public string? Refusal { get; set; }

    /// <summary>What the tenant allows; null for never.</summary>
    public TimeSpan? Within { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether the TPM is in the state for which it was sealed.</summary>
    public bool TpmInState { get; set; } = true;

    public int Asked { get; private set; }

    /// <summary>How often the TPM gave out its part of a kept release.</summary>
    public int Parts { get; private set; }

    public int Returned { get; private set; }

    public Func<ImmutableArray<string>> Binding { get; set; } = () => [];

    public string Nonce => $"nonce-{Asked}";

    public async Task<VolumeKeyAnswer> RequestAsync(
        VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
    {
        if (Hangs)
        {
            await Task.Delay(Timeout.Infinite, stop);
        }

        if (Silent)
        {
            throw new KeyServiceSilentException(question.Key, "No route to host.");
        }

        Asked++;
        about(Nonce);
        if (Refusal is { } refusal)
        {
            return new VolumeKeyAnswer.Refused([refusal]);
        }

        return new VolumeKeyAnswer.Released(Copy(_key))
        {
            Restart = Within is { } within
                ? new RestartOffer(
                    Kept(question.Key), Nonce, within,
                    HolderControl.DomainOf(question.Key, question.Plan.Datacentre)?.Origin.Revision ?? -1,
                    question.Plan.Datacentre.Machinery.Compartments[question.Compartment.ToString()].Origin.Revision)
                : null,
        };
    }

    public Task<ImmutableArray<string>> BindAsync(
        KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop) => Task.FromResult(Binding());

    public Task<string> ReturnAsync(EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop)
    {
        Returned += Silent ? 0 : 1;
        return Task.FromResult(Silent ? "No route to host." : "");
    }

    public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;

    public SecretBytes OpenPart(JsonElement delivery, ReadOnlyMemory<byte> context)
    {
        if (!TpmInState)
        {
            throw new WorldException(["have the TPM", "open what was wrapped for it"], -1, "policy check failed");
        }

        Parts++;
        return Copy(_part);
    }

    public bool IsItsKey(SecretBytes key) => _key.HasSameBytesAs(key);

    public void Dispose()
    {
        _key.Dispose();
        _part.Dispose();
    }

    private KeptRelease Kept(KeySubject subject)
    {
        using SessionKey session = SessionKey.Create();
        return session.Keep(KeySeal.Seal(_key, session.PublicKey, new byte[] { 1 }, _part) with
        {
            Tpm = JsonSerializer.SerializeToElement(new { of = subject.ToString() }),
        });
    }

    private static SecretBytes Copy(SecretBytes one) => SecretBytes.Create(one.Length, copy =>
    {
        using SecretLoan loan = one.Borrow();
        loan.Bytes.CopyTo(copy);
    });
}
