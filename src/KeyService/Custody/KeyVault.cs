using System.Collections.Immutable;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// The tenant's keys, of volumes and of the states of machines' TPMs: each under the key of its domain, and those under
/// the master key. Each key is made once, kept only wrapped, and held by one machine on one host, or
/// by as many as its volume's statement allows. A release goes: intent in
/// the journal, wrapped key and holder in the store, key opened, completion in the journal, answer; so a key that may
/// have left is always one that is kept, with its holder known. After any failure the vault refuses everything until it
/// is opened again, which settles what was under way. Safe for use from several threads.
/// </summary>
public sealed class KeyVault : IDisposable
{
    private readonly Lock _gate = new();
    private readonly KeyStore _store;
    private readonly AppendLog _journal;
    private readonly MasterKeyFile _master;
    private readonly KeyHierarchy _hierarchy;
    private readonly Func<JournalRecord, long> _append;
    private readonly ReleaseLog _log;
    private readonly Action<CustodyStep> _trace;
    private bool _failed;

    private KeyVault(
        KeyStore store, AppendLog journal, MasterKeyFile master, Func<JournalRecord, long> append, ReleaseLog log,
        Action<CustodyStep> trace)
    {
        _hierarchy = new KeyHierarchy(store, master);
        _append = append;
        _log = log;
        _store = store;
        _journal = journal;
        _master = master;
        _trace = trace;
    }

    /// <summary>Opens a vault, empty if there is none, and settles what a predecessor left under way.</summary>
    /// <param name="directory">Its private directory.</param>
    /// <param name="master">The tenant's master key; stays the caller's to dispose of, after this.</param>
    /// <param name="time">What the journal's records are dated by; decides nothing.</param>
    /// <param name="trace">Told of each step; what it throws counts as a failure at that step.</param>
    /// <exception cref="CustodyException">Journal, store and master key do not belong together; nothing was changed.
    /// </exception>
    public static KeyVault Open(
        PrivateDirectory directory, MasterKeyFile master, TimeProvider time, Action<CustodyStep>? trace = null)
    {
        ArgumentNullException.ThrowIfNull(master);
        ArgumentNullException.ThrowIfNull(time);
        KeyStore store = KeyStore.Open(directory);
        AppendLog? journal = null;
        try
        {
            CustodyHistory history = new();
            ReleaseLog log = new();
            AppendLog records = journal = AppendLog.Open(directory, "releases.log", record =>
            {
                history.Take(record);
                log.Take(record.Index, JournalRecord.Read(record.Payload.Span));
            });
            long Append(JournalRecord record)
            {
                JournalRecord dated = record with { At = Dates.Text(time.GetUtcNow()) };
                long index = records.Append(dated.Write());
                log.Take(index, dated);
                return index;
            }

            Settle(store, master, journal.Count);
            history.Settle(store, Append);
            return new KeyVault(store, journal, master, Append, log, trace ?? (_ => { }));
        }
        catch
        {
            journal?.Dispose();
            store.Dispose();
            throw;
        }
    }

    /// <summary>Who holds a key, by host and machine.</summary>
    public ImmutableArray<VaultHolder> HoldersOf(string key) => Guarded(() => _store.Holders(key));

    /// <summary>What is known of a TPM's state, or of a volume's header; null for what has no key.</summary>
    public string? MarkOf(string key) => Guarded(() => _store.Key(key)?.Mark);

    /// <summary>The domain that a key is of since its first release; null for what has no key.</summary>
    public string? DomainOf(string key) => Guarded(() => _store.Key(key)?.Domain);

    /// <summary>All volumes and TPMs that have a key, and who holds each.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<VaultHolder>> Volumes() => Guarded(_store.Keys);

    /// <summary>Since when a machine on a host has a key, by the journal's dates; empty when it has not.</summary>
    public string HeldSince(string key, VaultHolder holder) => Guarded(() => _log.HeldSince(key, holder));

    /// <summary>
    /// Gives a key to a host: makes it if there is none yet, and records the host and the machine as a holder. When it
    /// returns, the release is durable.
    /// </summary>
    /// <param name="grant">What goes to whom.</param>
    /// <param name="seal">Seals the opened key; the key is gone when it returns.</param>
    /// <returns>What was sealed, and the index of the completion in the journal.</returns>
    /// <exception cref="InvalidOperationException">Others hold it who may not beside this one, or it is of another
    /// domain: the decision was not asked.</exception>
    public (T Sealed, long Record) Release<T>(KeyGrant grant, Func<SecretBytes, T> seal)
    {
        ArgumentNullException.ThrowIfNull(grant);
        ArgumentNullException.ThrowIfNull(seal);
        return Guarded(() =>
        {
            Expect(grant);
            long intent = _append(new JournalRecord.Intent(grant.Key, grant.Holder, grant.Mark)
            {
                Domain = grant.Domain,
            });
            _trace(CustodyStep.IntentWritten);
            _hierarchy.Store(grant);
            _trace(CustodyStep.HolderStored);
            using SecretBytes key = _hierarchy.Open(grant.Key);
            _trace(CustodyStep.KeyOpened);
            T result = seal(key);
            long record = _append(new JournalRecord.Completed(intent));
            _trace(CustodyStep.CompletionWritten);
            return (result, record);
        });
    }

    /// <summary>Clears one holder after a decision; returns the index of the record in the journal.</summary>
    /// <exception cref="InvalidOperationException">It is not held so: the decision was not asked.</exception>
    /// <param name="volume">The volume.</param>
    /// <param name="holder">Who holds it.</param>
    /// <param name="cause">Why it is cleared.</param>
    /// <param name="documentDigest">SHA-256 of the document that asked for it, lower hex.</param>
    /// <param name="mark">What is known of a TPM's state, or of a volume's header, from now on.</param>
    public long Clear(
        string volume, VaultHolder holder, ClearCause cause, string documentDigest, string mark = "") => Guarded(() =>
    {
        Expect(volume, holder);

        long record = _append(new JournalRecord.Cleared(volume, holder, cause, documentDigest, mark));
        _trace(CustodyStep.IntentWritten);
        _store.Clear(volume, holder, mark);
        _trace(CustodyStep.HolderStored);
        return record;
    });

    /// <summary>Binds a header to a volume's key after a decision. When it returns, that is durable.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="holder">Who holds it.</param>
    /// <param name="documentDigest">SHA-256 of the document in which it names the header, lower hex.</param>
    /// <param name="mark">What is known of the header from now on.</param>
    /// <returns>The index of the record in the journal.</returns>
    /// <exception cref="InvalidOperationException">It is not held so: the decision was not asked.</exception>
    public long Bind(string volume, VaultHolder holder, string documentDigest, string mark) => Guarded(() =>
    {
        Expect(volume, holder);
        return Note(new JournalRecord.Bound(volume, holder, documentDigest, mark), volume, mark);
    });

    /// <summary>Notes that the host of a holder lost its trust. When it returns, that is durable.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="holder">Who holds it.</param>
    /// <param name="mark">What is known of the volume from now on.</param>
    /// <returns>The index of the record in the journal.</returns>
    /// <exception cref="InvalidOperationException">It is not held so.</exception>
    public long LoseTrust(string volume, VaultHolder holder, string mark) => Guarded(() =>
    {
        Expect(volume, holder);
        return Note(new JournalRecord.TrustLost(volume, holder, mark), volume, mark);
    });

    /// <summary>Notes that root keys answered for how a hold had ended. When it returns, that is durable.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="holder">Who held it.</param>
    /// <param name="documentDigest">SHA-256 of the approval, lower hex.</param>
    /// <param name="mark">What is known of the volume from now on.</param>
    /// <returns>The index of the record in the journal.</returns>
    /// <exception cref="InvalidOperationException">It is held so, and is to be cleared: the decision was not asked.
    /// </exception>
    public long Answer(string volume, VaultHolder holder, string documentDigest, string mark) => Guarded(() =>
        _store.Holders(volume).Any(holder.IsRelease)
            ? throw new InvalidOperationException($"{volume} is held so; a takeover clears it")
            : Note(new JournalRecord.Answered(volume, holder, documentDigest, mark), volume, mark));

    private long Note(JournalRecord record, string volume, string mark)
    {
        long index = _append(record);
        _trace(CustodyStep.IntentWritten);
        _store.Mark(volume, mark);
        _trace(CustodyStep.HolderStored);
        return index;
    }

    /// <summary>Closes journal and store.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _failed = true;
            _store.Dispose();
            _journal.Dispose();
        }
    }

    /// <summary>The keys that there are, and the tombstones of those that were destroyed.</summary>
    public KeyTree Tree() => Guarded(() => new KeyTree(
        _master.Current.Generation, _master.Current.Id.Hex,
        [
            .. _store.Domains().Select(domain => new DomainKeys(
                domain.Domain, domain.Generation, domain.Serial,
                [
                    .. _store.KeysOf(domain.Domain).Select(key => new KeptKey(
                        key.Key, key.Epoch, key.Serial, key.Revision, _store.Holders(key.Key))),
                ])),
        ],
        [.. _store.Tombstones()]));

    /// <summary>The newest entries of the journal before an index, the newest last.</summary>
    public IReadOnlyList<ReleaseLogRow> Log(long before, int most) => Guarded(() => _log.Before(before, most));

    /// <summary>What stands in the place of a destroyed key; null when none was destroyed.</summary>
    /// <param name="key">What the key opened.</param>
    public Tombstone? TombstoneOf(string key) => Guarded(() => _store.Tombstone(KeyHierarchy.OfKey, key));

    /// <summary>What stands in the place of a destroyed domain's keys; null when none were.</summary>
    public Tombstone? TombstoneOfDomain(string domain) =>
        Guarded(() => _store.Tombstone(KeyHierarchy.OfDomain, domain));

    /// <summary>What a document destroyed; null when nothing.</summary>
    /// <param name="document">SHA-256 of the document, lower hex.</param>
    public Destruction? DestroyedBy(string document) => Guarded(() => _store.Destruction(document));

    /// <summary>What the keys of one destruction had opened, in the order of the keys.</summary>
    public IReadOnlyList<KeptScrub> ScrubsOf(long record) => Guarded(() => _store.Scrubs.Of(record));

    /// <summary>What nobody has answered yet; at most so many.</summary>
    public IReadOnlyList<KeptScrub> OpenScrubs(int most) => Guarded(() => _store.Scrubs.Open(most));

    /// <summary>What the key of a serial had opened; null when no such key was destroyed.</summary>
    public KeptScrub? Scrub(string serial) => Guarded(() => _store.Scrubs.Find(serial));

    /// <summary>Keeps a host's answer; the first counts. When it returns, that is durable.</summary>
    /// <returns>The index of the record in the journal.</returns>
    public long AnswerScrub(JournalRecord.Scrubbed answer, bool vouched, string report) => Guarded(() =>
    {
        ArgumentNullException.ThrowIfNull(answer);
        long record = _append(answer);
        _trace(CustodyStep.IntentWritten);
        _store.Scrubs.Answer(answer.Serial, answer.Host, vouched, report);
        _trace(CustodyStep.HolderStored);
        return record;
    });

    /// <summary>What the change of a record destroyed; null when nothing.</summary>
    public Destruction? DestroyedAt(long record) => Guarded(() => _store.Destruction(record));

    /// <summary>The journal's record of the intent of the newest change; -1 when there was none.</summary>
    public long LastChange => Guarded(_store.LastChange);

    /// <summary>Whether nothing was ever done with it.</summary>
    public bool IsNew => Guarded(() => _journal.Count == 0);

    /// <summary>Puts a new master key in force, and wraps the domains' keys under it; the old one is gone.</summary>
    /// <returns>The index of the completion in the journal.</returns>
    public long RotateMaster() => Guarded(() => Change(
        ChangeKind.RotateMaster, _master.Current.Tenant.ToString(), replaced: null, newMaster: true));

    /// <summary>Replaces a domain's key, and wraps what is under it anew; the old one is gone.</summary>
    /// <exception cref="InvalidOperationException">The domain has no key: the decision was not asked.</exception>
    /// <returns>The index of the completion in the journal.</returns>
    public long RotateDomain(string domain) => Guarded(() => _store.Domain(domain) is null
        ? throw new InvalidOperationException($"{domain} has no key")
        : Change(ChangeKind.RotateDomain, domain, domain, newMaster: false));

    /// <summary>
    /// Destroys keys. What stays is under a new key of its domain and a new master key when it returns, so that whoever
    /// has an old row opens nothing with the keys of now; and nothing of what is gone is in the store's files.
    /// </summary>
    /// <param name="asked">What was decided.</param>
    /// <param name="about">What is known of the keys beside the store.</param>
    /// <returns>What was destroyed, and the index of the completion in the journal.</returns>
    /// <exception cref="InvalidOperationException">There is no such key: the decision was not asked.</exception>
    public (Destruction Done, long Record) Destroy(Destruction asked, DestructionFacts about)
    {
        ArgumentNullException.ThrowIfNull(asked);
        ArgumentNullException.ThrowIfNull(about);
        return Guarded(() =>
        {
            var (kind, domain, generation) = asked.What switch
            {
                Destroying.Key when _store.Key(asked.Subject) is { } key =>
                    (ChangeKind.DestroyKey, key.Domain, key.Epoch),
                Destroying.Domain when _store.Domain(asked.Subject) is { } kept =>
                    (ChangeKind.DestroyDomain, (string?)null, kept.Generation),
                Destroying.All => (ChangeKind.DestroyAll, null, _master.Current.Generation),
                _ => throw new InvalidOperationException($"there is no {asked.What} {asked.Subject} to destroy"),
            };
            long record = Change(
                kind, asked.Subject, domain, newMaster: true, asked with { Generation = generation }, about);
            Destruction done = _store.Destruction(asked.Document)
                ?? throw new CustodyException("The destruction vanished from the store; restore it from a copy.");
            return (done, record);
        });
    }

    /// <summary>
    /// Takes in keys that were prepared under the master key in force. Nobody holds them, and nothing was made under
    /// them yet. When it returns, that is durable, for all of them or none.
    /// </summary>
    /// <param name="load">What was decided.</param>
    /// <returns>The index of the completion in the journal; null when they do not open: nothing was done.</returns>
    /// <exception cref="InvalidOperationException">There is a key of such a name: the decision was not asked.
    /// </exception>
    public long? Load(KeyLoad load)
    {
        ArgumentNullException.ThrowIfNull(load);
        return Guarded(() =>
        {
            if (load.Prepared.Open(_master.Current) is not { } keys)
            {
                return (long?)null;
            }

            try
            {
                return Load(load, keys);
            }
            finally
            {
                foreach (SecretBytes key in keys)
                {
                    key.Dispose();
                }
            }
        });
    }

    private long Load(KeyLoad load, IReadOnlyList<SecretBytes> keys)
    {
        if (load.Prepared.Keys.FirstOrDefault(name => _store.Key(name) is not null) is { } taken)
        {
            throw new InvalidOperationException($"there is a key of {taken}; a load needs a decision first");
        }

        long intent = _append(new JournalRecord.Change(
            ChangeKind.LoadKeys, load.Domain, _master.Current.Id.Hex, load.Document)
        {
            Keys = load.Prepared.Keys,
        });
        _trace(CustodyStep.IntentWritten);
        _hierarchy.Load(intent, load, keys);
        _trace(CustodyStep.HierarchyStored);
        long record = _append(new JournalRecord.Completed(intent));
        _trace(CustodyStep.CompletionWritten);
        return record;
    }

    /// <summary>Of two sealed master keys the one in force is the one that the store is under.</summary>
    private static void Settle(KeyStore store, MasterKeyFile master, long records)
    {
        StoredMaster held = new(master.Current.Generation, master.Current.Id.Hex);
        StoredMaster? kept = store.Master();
        if (kept is null && records == 0)
        {
            store.Begin(held);
        }
        else if (kept is not null && master.Next is { } next && kept == new StoredMaster(next.Generation, next.Id.Hex))
        {
            master.Promote();
        }
        else if (kept == held)
        {
            master.Drop();
        }
        else
        {
            throw new CustodyException(
                $"The store is under the master key {kept?.Id[..16] ?? "of nobody"} of generation "
                + $"{kept?.Generation ?? 0}, and the sealed file holds {held.Id[..16]} of generation "
                + $"{held.Generation}. Restore both from the same copy.");
        }
    }

    private long Change(
        ChangeKind kind, string subject, string? replaced, bool newMaster, Destruction? gone = null,
        DestructionFacts? about = null)
    {
        MasterKey? next = newMaster
            ? MasterKey.Make(_master.Current.Tenant, _master.Current.Generation + 1)
            : null;
        string id = (next ?? _master.Current).Id.Hex;
        long intent = _append(new JournalRecord.Change(kind, subject, id, gone?.Document ?? ""));
        _trace(CustodyStep.IntentWritten);
        StoreChange change = _hierarchy.Plan(intent, next, replaced, gone);
        if (gone is not null)
        {
            change = change with { Destruction = gone with { Keys = change.KeysGone.Count } };
            Bury(change, about ?? DestructionFacts.None);
        }

        if (next is not null)
        {
            _master.Prepare(next);
            _trace(CustodyStep.NextMasterSealed);
        }

        _store.Apply(change);
        _trace(CustodyStep.HierarchyStored);
        if (next is not null)
        {
            _master.Promote();
            _trace(CustodyStep.MasterPromoted);
        }

        _store.Scrub();
        _trace(CustodyStep.StoreScrubbed);
        long record = _append(new JournalRecord.Completed(intent));
        _trace(CustodyStep.CompletionWritten);
        return record;
    }

    /// <summary>A tombstone for each key and each domain that goes. The later of two revisions counts.</summary>
    private void Bury(StoreChange change, DestructionFacts about)
    {
        foreach (string name in change.KeysGone)
        {
            if (_store.Key(name) is { } key)
            {
                change.Tombstones.Add(new Tombstone(
                    KeyHierarchy.OfKey, name, Math.Max(key.Revision, about.RevisionOf(KeyHierarchy.OfKey, name)),
                    key.Epoch, change.Record));
                if (about.ScrubOf(new GoneKey(name, key.Serial, key.Domain, key.Mark, _log.LastHost(name)))
                    is { } scrub)
                {
                    change.Scrubs.Add(scrub with { Record = change.Record });
                }
            }
        }

        foreach (string name in change.DomainsGone)
        {
            if (_store.Domain(name) is { } domain)
            {
                change.Tombstones.Add(new Tombstone(
                    KeyHierarchy.OfDomain, name, about.RevisionOf(KeyHierarchy.OfDomain, name), domain.Generation,
                    change.Record));
            }
        }
    }

    private void Expect(KeyGrant grant)
    {
        foreach (VaultHolder held in _store.Holders(grant.Key))
        {
            if (!grant.MayBeBeside(held))
            {
                throw new InvalidOperationException($"{held.Host} holds {grant.Key}; a release needs a decision first");
            }
        }

        if (_store.Key(grant.Key) is { } kept && kept.Domain != grant.Domain)
        {
            throw new InvalidOperationException($"{grant.Key} is of {kept.Domain}; a release needs a decision first");
        }
    }

    private void Expect(string key, VaultHolder holder)
    {
        if (!_store.Holders(key).Any(holder.IsRelease))
        {
            throw new InvalidOperationException($"{key} is not held so; what ends or binds it needs a decision first");
        }
    }

    private T Guarded<T>(Func<T> act)
    {
        lock (_gate)
        {
            if (_failed)
            {
                throw new CustodyException(
                    "The vault failed before and releases nothing until it is opened again; restart the key service.");
            }

            try
            {
                return act();
            }
            catch
            {
                _failed = true;
                throw;
            }
        }
    }
}
