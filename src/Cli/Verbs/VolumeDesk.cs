using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Evidence;
using Bailiwick.Custody;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>A tenant's own key service, reached from its administrator's desk.</summary>
internal sealed class VolumeDesk : IDisposable
{
    private readonly HttpClient _http;
    private readonly CheckedDatacentre _datacentre;

    private VolumeDesk(HttpClient http, PartyId tenant, CheckedDatacentre datacentre)
    {
        _http = http;
        _datacentre = datacentre;
        Tenant = tenant;
        Client = new KeyServiceClient(http);
    }

    /// <summary>The caller's tenant.</summary>
    internal PartyId Tenant { get; }

    /// <summary>The key service.</summary>
    internal KeyServiceClient Client { get; }

    /// <exception cref="CustodyException">The caller is of no tenant, or its root names no key service.</exception>
    internal static VolumeDesk Open(BoardDesk desk, StatementBook book)
    {
        PartyId tenant = EvidenceFetch.TenantOf(desk, book);
        PublicKey key = TenantServices.KeyOf(book, tenant) ?? throw new CustodyException(
            $"No accepted root of {tenant.Short} names a key service.");
        PolicyReading reading = PolicyDocuments.FromStatements(StatementKinds.All.SelectMany(book.Current));
        return new VolumeDesk(
            desk.KeyService(key.Id, TenantServices.AddressOf(book, tenant)), tenant,
            PolicyCheck.Run(reading, BundleOptions.Party(desk.Context.Datacentre)).Datacentre);
    }

    /// <summary>The key that a volume's or a TPM's name means, with or without its tenant before it.</summary>
    internal KeySubject Named(string text)
    {
        string name = text.Split('/')[^1];
        return KeySubject.Read($"{Tenant}/{name}")
            ?? new KeySubject.Volume(new VolumeRef(Tenant, BundleOptions.Name(name)));
    }

    /// <summary>How many root keys must approve that a key is taken over.</summary>
    /// <exception cref="CustodyException">It is unknown, or its domain allows no takeover.</exception>
    internal int Approvals(KeySubject key)
    {
        DomainModel domain = HolderControl.DomainOf(key, _datacentre) ?? throw new CustodyException(
            $"No accepted statement describes {key} and its domain.");

        return domain.Approvals.TryGetValue(ApprovedAction.Takeover, out int approvals) && approvals > 0
            ? approvals
            : throw new CustodyException(
                $"The domain {domain.Ref.Name} lists no approvals for a takeover, so nobody can approve one; add "
                + "`approvals: {takeover: N}` to it, sign and publish it.");
    }

    /// <summary>How many root keys must approve that keys are destroyed.</summary>
    /// <exception cref="CustodyException">The domain allows nobody, or no statement describes it.</exception>
    internal int DestroyApprovals(DestroySubject subject, DomainRef? colour, int threshold) =>
        DestroyControl.Approvals(subject, colour, _datacentre, threshold) ?? throw new CustodyException(
            $"The domain of {subject} lists no approvals for a destruction, so nobody can approve one; add "
            + "`approvals: {destroy: N}` to it, sign and publish it.");

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
