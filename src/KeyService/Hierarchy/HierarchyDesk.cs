using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Leasing;
using Bailiwick.KeyService.Proving;
using Bailiwick.KeyService.Releasing;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Hierarchy;

/// <summary>
/// Where the owner looks at the keys, rotates and destroys them. Decisions here and releases are taken one at a time,
/// so that no key is made anew between the decision to destroy it and the act.
/// </summary>
/// <param name="vault">The keys.</param>
/// <param name="releases">Where hosts ask for keys.</param>
/// <param name="leases">The leases of hosts: those of a destroyed domain end.</param>
/// <param name="policy">The policies in force.</param>
/// <param name="identity">Signs receipts.</param>
public sealed class HierarchyDesk(
    KeyVault vault, ReleaseDesk releases, LeaseBook leases, Func<PolicySnapshot?> policy, ISigner identity)
{
    private const string Journal = "release journal";

    /// <summary>The tenant's changes of keys, as the ledger has them or will have them.</summary>
    public required PostedChanges Changes { get; init; }

    /// <summary>
    /// Why nothing may be released, whoever asks: the board was not heard since the start, or its log has changes that
    /// this store has not. Null mostly.
    /// </summary>
    public RouteProblem? Doubt() => policy() is not { } snapshot ? RefusalProblem.NotReady
        : Changes.Compare(snapshot.KeyChange, vault.IsNew) is { } doubt ? KeyProblems.Of(doubt)
        : null;

    /// <summary>What the tenant may know, with the doubt before all other problems.</summary>
    public RouteAnswer<KeyServiceStatus> Status(RouteAnswer<KeyServiceStatus> status) =>
        status is RouteAnswer<KeyServiceStatus>.Ok { Value: var told } && Doubt() is { } doubt
            ? new RouteAnswer<KeyServiceStatus>.Ok(told with { Problems = told.Problems.Insert(0, doubt.Detail) })
            : status;

    /// <summary>
    /// Notes the newest change for the ledger, if it is not noted: at the start, for what a predecessor changed and did
    /// not come to note, and after each change, before anybody is told of it.
    /// </summary>
    public void Tell()
    {
        lock (releases.Gate)
        {
            long change = vault.LastChange;
            if (change > Changes.Record)
            {
                Changes.Note(new KeyChangeNotice(
                    change, vault.Tree().Generation,
                    vault.DestroyedAt(change) is { } done ? ErasureReceipt.DigestOf(Erased(done)) : null));
            }
        }
    }

    /// <summary>The keys that there are.</summary>
    public RouteAnswer<KeyTreeBody> List()
    {
        KeyTree tree = vault.Tree();
        return new RouteAnswer<KeyTreeBody>.Ok(new KeyTreeBody(
            releases.Tenant.ToString(), tree.Generation, tree.Master,
            [
                .. tree.Domains.Select(domain => new DomainKeysBody(
                    domain.Domain, domain.Generation, domain.Serial,
                    [
                        .. domain.Keys.Select(key => new KeptKeyBody(
                            key.Key, key.Epoch, key.Serial,
                            [.. key.Holders.Select(holder => ReleaseDesk.Row(vault, key.Key, holder))])),
                    ])),
            ],
            [.. tree.Destroyed.Select(one => new DestroyedBody(one.What, one.Name, one.Revision, one.Record))]));
    }

    /// <summary>A page of the journal.</summary>
    public RouteAnswer<ReleaseLogBody> Log(RouteCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return new RouteAnswer<ReleaseLogBody>.Ok(new ReleaseLogBody(
        [
            .. vault.Log(call.Number("before"), (int)call.Number("limit")).Select(row => new ReleaseLogEntry(
                row.Index, row.At, row.What, row.Subject, row.Whom, row.Outcome)),
        ]));
    }

    /// <summary>Replaces the master key, or the key of a domain.</summary>
    public RouteAnswer<RotatedBody> Rotate(RotationBody body)
    {
        ArgumentNullException.ThrowIfNull(body);
        lock (releases.Gate)
        {
            if (!Changes.HasRoom)
            {
                return new RouteAnswer<RotatedBody>.Refused(KeyProblems.TooManyChanges);
            }

            if (body.Domain.Length > 0 && vault.Tree().Domains.All(domain => domain.Domain != body.Domain))
            {
                return new RouteAnswer<RotatedBody>.Refused(KeyProblems.NoSuchDomainKey);
            }

            long record = body.Domain.Length == 0 ? vault.RotateMaster() : vault.RotateDomain(body.Domain);
            Tell();
            KeyTree now = vault.Tree();
            return new RouteAnswer<RotatedBody>.Recorded(
                new RotatedBody(
                    now.Domains.FirstOrDefault(domain => domain.Domain == body.Domain)?.Generation ?? now.Generation,
                    now.Master),
                new RouteReceipt(Journal, record));
        }
    }

    /// <summary>Takes in keys that were prepared without a network.</summary>
    public RouteAnswer<LoadedBody> Load(LoadBody body)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<LoadedBody>.Refused(RefusalProblem.NotReady);
        }

        byte[] document = ShownDocuments.Canonical(body.Prepared);
        if (PreparedKeys.Read(document) is not { } prepared || NamesOf(prepared) is not { } names)
        {
            return new RouteAnswer<LoadedBody>.Refused(KeyProblems.BadDocument("It is no document of prepared keys."));
        }

        lock (releases.Gate)
        {
            if (!Changes.HasRoom)
            {
                return new RouteAnswer<LoadedBody>.Refused(KeyProblems.TooManyChanges);
            }

            return LoadControl.Decide(names, snapshot.Datacentre, LoadedBeside()) switch
            {
                LoadVerdict.Refused refused => new RouteAnswer<LoadedBody>.Refused(KeyProblems.Of(refused.Refusals)),
                LoadVerdict.Accepted accepted => Act(accepted, prepared, Digest32.Of(document)),
                _ => throw new UnreachableException(),
            };
        }
    }

    private RouteAnswer<LoadedBody> Act(LoadVerdict.Accepted accepted, PreparedKeys prepared, Digest32 document)
    {
        if (vault.Load(new KeyLoad(prepared, document.Hex, accepted.Revisions)) is not { } record)
        {
            return new RouteAnswer<LoadedBody>.Refused(KeyProblems.BadDocument(
                "The keys do not open under the master key that they name: the document was changed."));
        }

        Tell();
        return new RouteAnswer<LoadedBody>.Recorded(
            new LoadedBody(prepared.Domain, prepared.Keys), new RouteReceipt(Journal, record));
    }

    /// <summary>The names of a document, each as it must be written; null when one is not.</summary>
    private static LoadedNames? NamesOf(PreparedKeys prepared)
    {
        KeySubject?[] keys = [.. prepared.Keys.Select(KeySubject.Read)];
        return DomainRef.Read(prepared.Domain) is { } domain && keys.OfType<KeySubject>().Count() == keys.Length
            ? new LoadedNames(prepared.Tenant, prepared.Master, domain, [.. keys.OfType<KeySubject>()])
            : null;
    }

    private LoadCustody LoadedBeside() => new(
        releases.Tenant, Serial(vault.Tree().Master) ?? throw new CustodyException(
            "The master key's id cannot be read; restore the store."),
        key => vault.DomainOf(key.ToString()) is not null)
    {
        Destroyed = key => vault.TombstoneOf(key.ToString())?.Revision,
        DomainDestroyed = domain => vault.TombstoneOfDomain(domain.ToString())?.Revision,
    };

    /// <summary>Destroys keys, approved by root keys of the tenant, and gives a receipt. Asked again, gives it again.
    /// </summary>
    public RouteAnswer<ErasedBody> Destroy(DestroyBody body)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { TenantRoot: { } root } snapshot)
        {
            return new RouteAnswer<ErasedBody>.Refused(RefusalProblem.NotReady);
        }

        if (DestroyDocument.Read(ShownDocuments.Canonical(body.Destroy), out string fault) is not { } document)
        {
            return new RouteAnswer<ErasedBody>.Refused(KeyProblems.BadDocument(fault));
        }

        lock (releases.Gate)
        {
            if (vault.DestroyedBy(document.Digest.Hex) is { } before)
            {
                return Answer(before, before.Record);
            }

            if (!Changes.HasRoom)
            {
                return new RouteAnswer<ErasedBody>.Refused(KeyProblems.TooManyChanges);
            }

            return DestroyControl.Decide(document, snapshot.Datacentre, root, Known(document.Subject)) switch
            {
                DestroyVerdict.Refused refused => new RouteAnswer<ErasedBody>.Refused(KeyProblems.Of(refused.Refusals)),
                DestroyVerdict.Approved approved => Act(approved.Document, snapshot),
                _ => throw new UnreachableException(),
            };
        }
    }

    /// <summary>Notes the receipt for the ledger once every host that was asked has answered.</summary>
    /// <param name="record">The destruction's record.</param>
    internal void TellAnswered(long record)
    {
        lock (releases.Gate)
        {
            if (Changes.HasRoom && vault.DestroyedAt(record) is { } done && Erased(done) is { Pending: 0 } erased)
            {
                Changes.Note(new KeyChangeNotice(
                    vault.LastChange, vault.Tree().Generation, ErasureReceipt.DigestOf(erased)));
            }
        }
    }

    /// <summary>Why no host is lent trust for a domain; null mostly.</summary>
    public string? Bar(DomainModel domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return vault.TombstoneOfDomain(domain.Ref.ToString()) is { } tombstone
            && domain.Origin.Revision <= tombstone.Revision
                ? Why(domain.Ref)
                : null;
    }

    private static string Why(DomainRef domain) => $"the keys of the domain {domain.Name} were destroyed.";

    private RouteAnswer<ErasedBody> Act(DestroyDocument document, PolicySnapshot snapshot)
    {
        string[] domains = [.. vault.Tree().Domains.Select(domain => domain.Domain)];
        var (done, record) = vault.Destroy(
            new Destruction(document.Subject.What, document.Subject.ToString(), document.Digest.Hex)
            {
                LedgerSize = snapshot.Checkpoint.Size,
                LedgerRoot = snapshot.Checkpoint.Root.Hex,
            },
            new DestructionFacts(
                (what, name) => RevisionOf(snapshot.Datacentre, what, name),
                gone => ScrubDesk.Of(gone, snapshot.Datacentre)));
        foreach (string gone in domains.Except(vault.Tree().Domains.Select(domain => domain.Domain)))
        {
            if (DomainRef.Read(gone) is { } domain)
            {
                leases.EndDomain(domain, Why(domain));
            }
        }

        Tell();
        return Answer(done, record);
    }

    private RouteAnswer<ErasedBody> Answer(Destruction done, long record) =>
        new RouteAnswer<ErasedBody>.Recorded(
            new ErasedBody(JsonElement.Parse(ErasureReceipt.Write(Erased(done), identity))),
            new RouteReceipt(Journal, record));

    private ErasedKeys Erased(Destruction done) =>
        DestroySubject.Read(done.What, done.Subject) is { } subject
        && Digest32.TryParse(done.Document, out Digest32? document)
        && Digest32.TryParse(done.LedgerRoot, out Digest32? ledger)
            ? new ErasedKeys(subject, done.Generation, document)
            {
                Count = done.Keys, Record = done.Record, LedgerSize = done.LedgerSize, LedgerRoot = ledger,
                Pending = vault.ScrubsOf(done.Record).Count(one => one.Report.Length == 0),
                Scrubs = [.. ScrubDesk.Answered(vault.ScrubsOf(done.Record)).Take(ErasedKeys.MostScrubs)],
            }
            : throw new CustodyException(
                $"The stored destruction of {done.Subject} cannot be read; restore the store.");

    private DestroyCustody Known(DestroySubject subject)
    {
        KeyTree tree = vault.Tree();
        PartyId tenant = releases.Tenant;
        string name = subject.ToString();
        switch (subject)
        {
            case DestroySubject.OfAll:
                return new DestroyCustody(tenant, Serial(tree.Master), null);
            case DestroySubject.OfDomain:
                return new DestroyCustody(
                    tenant, Serial(tree.Domains.FirstOrDefault(domain => domain.Domain == name)?.Serial), null);
            case DestroySubject.OfKey:
                KeptKey? kept = tree.Domains.SelectMany(domain => domain.Keys).FirstOrDefault(key => key.Key == name);
                return new DestroyCustody(tenant, Serial(kept?.Serial), DomainRef.Read(vault.DomainOf(name)));
            default:
                throw new UnreachableException();
        }
    }

    private static Digest32? Serial(string? text) => Digest32.TryParse(text, out var serial) ? serial : null;

    private static long RevisionOf(CheckedDatacentre datacentre, string what, string name) =>
        what == "domain" ? datacentre.Domains.GetValueOrDefault(name)?.Origin.Revision ?? 0
        : KeySubject.Read(name) switch
        {
            KeySubject.Volume => datacentre.Machinery.Volumes.GetValueOrDefault(name)?.Origin.Revision ?? 0,
            KeySubject.MachineTpm tpm =>
                datacentre.Machinery.Compartments.GetValueOrDefault(tpm.Ref.ToString())?.Origin.Revision ?? 0,
            _ => 0,
        };
}
