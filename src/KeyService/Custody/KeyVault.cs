using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Sealing;

namespace Bailiwick.KeyService.Custody;

/// <summary>What a vault reaches while it releases a key, in this order.</summary>
public enum CustodyStep
{
    /// <summary>The intent is durable.</summary>
    IntentWritten = 1,

    /// <summary>The wrapped key and the holder are durable.</summary>
    HolderStored,

    /// <summary>The key is open in memory and may be sealed.</summary>
    KeyOpened,

    /// <summary>The completion is durable; the sealed key may be answered.</summary>
    CompletionWritten,
}

/// <summary>
/// The tenant's keys, of volumes and of the states of machines' TPMs: each under the key of its domain, and those under
/// the master key. Each key is made once, kept only wrapped, and held by at most one host. A release goes: intent in
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
    private readonly Action<CustodyStep> _trace;
    private bool _failed;

    private KeyVault(KeyStore store, AppendLog journal, MasterKeyFile master, Action<CustodyStep> trace)
    {
        _store = store;
        _journal = journal;
        _master = master;
        _trace = trace;
    }

    /// <summary>Opens a vault, empty if there is none, and settles what a predecessor left under way.</summary>
    /// <param name="directory">Its private directory.</param>
    /// <param name="master">The tenant's master key; stays the caller's to dispose of, after this.</param>
    /// <param name="trace">Told of each step; what it throws counts as a failure at that step.</param>
    /// <exception cref="CustodyException">Journal, store and master key do not belong together; nothing was changed.
    /// </exception>
    public static KeyVault Open(PrivateDirectory directory, MasterKeyFile master, Action<CustodyStep>? trace = null)
    {
        ArgumentNullException.ThrowIfNull(master);
        KeyStore store = KeyStore.Open(directory);
        AppendLog? journal = null;
        try
        {
            CustodyHistory history = new();
            journal = AppendLog.Open(directory, "releases.log", history.Take);
            Settle(store, master);
            history.Settle(store, journal);
            return new KeyVault(store, journal, master, trace ?? (_ => { }));
        }
        catch
        {
            journal?.Dispose();
            store.Dispose();
            throw;
        }
    }

    /// <summary>Who holds a volume's key; null when nobody does.</summary>
    public VaultHolder? HolderOf(string volume) => Guarded(() => _store.Holder(volume));

    /// <summary>What is known of the state of a machine's TPM; empty for a volume, null for what has no key.</summary>
    public string? MarkOf(string key) => Guarded(() => _store.Key(key)?.Mark);

    /// <summary>The domain that a key is of since its first release; null for what has no key.</summary>
    public string? DomainOf(string key) => Guarded(() => _store.Key(key)?.Domain);

    /// <summary>All volumes that have a key, and who holds each.</summary>
    public IReadOnlyDictionary<string, VaultHolder?> Volumes() => Guarded(_store.Keys);

    /// <summary>
    /// Gives a key to a host: makes it if there is none yet, and records the host as its holder. When it returns, the
    /// release is durable.
    /// </summary>
    /// <param name="grant">What goes to whom.</param>
    /// <param name="seal">Seals the opened key; the key is gone when it returns.</param>
    /// <returns>What was sealed, and the index of the completion in the journal.</returns>
    /// <exception cref="InvalidOperationException">Another host holds it, or it is of another domain: the decision was
    /// not asked.</exception>
    public (T Sealed, long Record) Release<T>(KeyGrant grant, Func<SecretBytes, T> seal)
    {
        ArgumentNullException.ThrowIfNull(grant);
        ArgumentNullException.ThrowIfNull(seal);
        return Guarded(() =>
        {
            Expect(grant);
            long intent = Append(new JournalRecord.Intent(grant.Key, grant.Compartment, grant.Holder, grant.Mark)
            {
                Domain = grant.Domain,
            });
            _trace(CustodyStep.IntentWritten);
            Store(grant);
            _trace(CustodyStep.HolderStored);
            using SecretBytes key = OpenKey(grant.Key);
            _trace(CustodyStep.KeyOpened);
            T result = seal(key);
            long record = Append(new JournalRecord.Completed(intent));
            _trace(CustodyStep.CompletionWritten);
            return (result, record);
        });
    }

    /// <summary>Clears a volume's holder after a decision; returns the index of the record in the journal.</summary>
    /// <exception cref="InvalidOperationException">It is not held so: the decision was not asked.</exception>
    /// <param name="volume">The volume.</param>
    /// <param name="holder">Who holds it.</param>
    /// <param name="cause">Why it is cleared.</param>
    /// <param name="documentDigest">SHA-256 of the document that asked for it, lower hex.</param>
    /// <param name="mark">What is known of the state of a machine's TPM from now on; empty for a volume.</param>
    public long Clear(
        string volume, VaultHolder holder, ClearCause cause, string documentDigest, string mark = "") => Guarded(() =>
    {
        if (_store.Holder(volume) != holder)
        {
            throw new InvalidOperationException($"{volume} is not held so; clearing needs a decision first");
        }

        long record = Append(new JournalRecord.Cleared(volume, holder, cause, documentDigest, mark));
        _trace(CustodyStep.IntentWritten);
        _store.Clear(volume, mark);
        _trace(CustodyStep.HolderStored);
        return record;
    });

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

    private static void Settle(KeyStore store, MasterKeyFile master)
    {
        StoredMaster held = new(master.Current.Generation, master.Current.Id.Hex);
        if (store.Master() is not { } kept)
        {
            store.Begin(held);
        }
        else if (kept != held)
        {
            throw new CustodyException(
                $"The store is under the master key {kept.Id[..16]} of generation {kept.Generation}, and the sealed "
                + $"file holds {held.Id[..16]} of generation {held.Generation}. Restore both from the same copy.");
        }
    }

    private void Expect(KeyGrant grant)
    {
        if (_store.Holder(grant.Key) is { } held && held.Host != grant.Holder.Host)
        {
            throw new InvalidOperationException($"{held.Host} holds {grant.Key}; a release needs a decision first");
        }

        if (_store.Key(grant.Key) is { } kept && kept.Domain != grant.Domain)
        {
            throw new InvalidOperationException($"{grant.Key} is of {kept.Domain}; a release needs a decision first");
        }
    }

    /// <summary>Makes what is not there yet, and stores it with the holder.</summary>
    private void Store(KeyGrant grant)
    {
        StoredDomain? domain = _store.Domain(grant.Domain);
        using SecretBytes parent = domain is null ? SecretBytes.Random(KeyWrap.KeyLength) : OpenDomain(domain);
        byte[]? newDomain = domain is null ? UnderMaster().Wrap(Place(grant.Domain, 1), parent) : null;
        byte[]? newKey = null;
        if (_store.Key(grant.Key) is null)
        {
            using SecretBytes key = SecretBytes.Random(KeyWrap.KeyLength);
            newKey = Under(parent).Wrap(WrapPlace.OfKey(grant.Key, 1, grant.Domain, domain?.Generation ?? 1), key);
        }

        _store.Hold(grant, newDomain, newKey);
    }

    private SecretBytes OpenKey(string name)
    {
        StoredKey key = _store.Key(name) ?? throw Vanished(name);
        StoredDomain domain = _store.Domain(key.Domain) ?? throw Vanished(key.Domain);
        using SecretBytes parent = OpenDomain(domain);
        return Under(parent).Unwrap(WrapPlace.OfKey(key.Key, key.Epoch, domain.Domain, domain.Generation), key.Wrapped);
    }

    private SecretBytes OpenDomain(StoredDomain domain) =>
        UnderMaster().Unwrap(Place(domain.Domain, domain.Generation), domain.Wrapped);

    private WrapPlace Place(string domain, long generation) =>
        WrapPlace.OfDomain(domain, generation, _master.Current.Generation);

    private KeyWrap UnderMaster() => Under(_master.Current.Wrapping);

    private KeyWrap Under(SecretBytes parent) => new(parent, _master.Current.Tenant.ToString());

    private static CustodyException Vanished(string name) =>
        new($"The key of {name} vanished from the store; restore it from a copy.");

    private long Append(JournalRecord record) => _journal.Append(record.Write());

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
