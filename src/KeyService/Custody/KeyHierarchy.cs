using Bailiwick.Channel.Secrets;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// Opens and makes the keys of a store: master key, domains, volumes and TPMs. Every key it opens is the caller's to
/// dispose of. For one thread at a time.
/// </summary>
internal sealed class KeyHierarchy(KeyStore store, MasterKeyFile master)
{
    /// <summary>The kinds of names that tombstones stand for.</summary>
    public const string OfKey = "key", OfDomain = "domain";

    /// <summary>Makes what is not there yet, and stores it with the holder.</summary>
    public void Store(KeyGrant grant)
    {
        using SecretBytes parent = DomainKey(grant.Domain, out long generation, out MadeKey? newDomain);
        MadeKey? newKey = null;
        if (store.Key(grant.Key) is null)
        {
            using SecretBytes key = SecretBytes.Random(KeyWrap.KeyLength);
            newKey = Made(grant.Key, grant.Domain, generation, parent, key);
        }

        store.Hold(grant, newDomain, newKey);
    }

    /// <summary>Stores keys that were carried in, with no holder; makes the domain's key if there is none.</summary>
    /// <param name="record">The journal's record of the intent.</param>
    /// <param name="load">What was decided.</param>
    /// <param name="keys">The opened keys, in the order of their names; they stay the caller's.</param>
    public void Load(long record, KeyLoad load, IReadOnlyList<SecretBytes> keys)
    {
        using SecretBytes parent = DomainKey(load.Domain, out long generation, out MadeKey? newDomain);
        LoadedKey[] wrapped =
        [
            .. load.Prepared.Keys.Select((name, i) => new LoadedKey(
                name, load.Revisions[i], Made(name, load.Domain, generation, parent, keys[i]))),
        ];
        store.Load(record, load.Domain, newDomain, wrapped);
    }

    /// <summary>Opens the key of a volume or of a machine's TPM.</summary>
    public SecretBytes Open(string name)
    {
        StoredKey key = store.Key(name) ?? throw Vanished(name);
        StoredDomain domain = store.Domain(key.Domain) ?? throw Vanished(key.Domain);
        using SecretBytes parent = Open(domain);
        return Open(key, domain.Generation, parent);
    }

    /// <summary>
    /// Works out a change: everything that stays is wrapped anew where what it is under is replaced. Nothing is stored.
    /// </summary>
    /// <param name="record">The journal's record of the intent.</param>
    /// <param name="next">The master key from then on; null when it stays.</param>
    /// <param name="replaced">The domain whose key is replaced; null for none.</param>
    /// <param name="gone">Which keys are destroyed, and with them domains that have nothing else.</param>
    public StoreChange Plan(long record, MasterKey? next, string? replaced, Destruction? gone)
    {
        MasterKey to = next ?? master.Current;
        StoreChange change = new(record, new StoredMaster(to.Generation, to.Id.Hex)) { Destruction = gone };
        foreach (StoredDomain domain in store.Domains())
        {
            bool isGone = gone is { What: Destroying.All }
                || gone is { What: Destroying.Domain, Subject: var name } && name == domain.Domain;
            if (isGone)
            {
                change.DomainsGone.Add(domain.Domain);
                change.KeysGone.AddRange(store.KeysOf(domain.Domain).Select(key => key.Key));
                continue;
            }

            if (domain.Domain == replaced)
            {
                Replace(change, domain, to, gone);
            }
            else if (next is not null)
            {
                using SecretBytes kept = Open(domain);
                change.Domains.Add(Wrapped(domain, to, kept));
            }
        }

        return change;
    }

    /// <summary>The key of a domain; a new one, wrapped too, where there is none.</summary>
    private SecretBytes DomainKey(string name, out long generation, out MadeKey? made)
    {
        made = null;
        if (store.Domain(name) is { } domain)
        {
            generation = domain.Generation;
            return Open(domain);
        }

        generation = NextGeneration(OfDomain, name);
        SecretBytes key = SecretBytes.Random(KeyWrap.KeyLength);
        made = new MadeKey(generation, Under(master.Current).Wrap(Place(name, generation), key));
        return key;
    }

    private MadeKey Made(string name, string domain, long generation, SecretBytes parent, SecretBytes key)
    {
        long epoch = NextGeneration(OfKey, name);
        return new MadeKey(epoch, Under(parent).Wrap(WrapPlace.OfKey(name, epoch, domain, generation), key));
    }

    private void Replace(StoreChange change, StoredDomain domain, MasterKey to, Destruction? gone)
    {
        using SecretBytes old = Open(domain);
        using SecretBytes made = SecretBytes.Random(KeyWrap.KeyLength);
        StoredDomain replacement = Wrapped(domain with { Generation = domain.Generation + 1 }, to, made);
        change.Domains.Add(replacement);
        foreach (StoredKey key in store.KeysOf(domain.Domain))
        {
            if (gone is { What: Destroying.Key, Subject: var name } && name == key.Key)
            {
                change.KeysGone.Add(key.Key);
                continue;
            }

            using SecretBytes opened = Open(key, domain.Generation, old);
            WrapPlace place = WrapPlace.OfKey(key.Key, key.Epoch, domain.Domain, replacement.Generation);
            change.Keys.Add(key with { Wrapped = Under(made).Wrap(place, opened) });
        }
    }

    private StoredDomain Wrapped(StoredDomain domain, MasterKey to, SecretBytes key) => domain with
    {
        Wrapped = Under(to).Wrap(WrapPlace.OfDomain(domain.Domain, domain.Generation, to.Generation), key),
    };

    private SecretBytes Open(StoredKey key, long domainGeneration, SecretBytes parent) =>
        Under(parent).Unwrap(WrapPlace.OfKey(key.Key, key.Epoch, key.Domain, domainGeneration), key.Wrapped);

    private SecretBytes Open(StoredDomain domain) =>
        Under(master.Current).Unwrap(Place(domain.Domain, domain.Generation), domain.Wrapped);

    private long NextGeneration(string what, string name) => (store.Tombstone(what, name)?.Generation ?? 0) + 1;

    private WrapPlace Place(string domain, long generation) =>
        WrapPlace.OfDomain(domain, generation, master.Current.Generation);

    private KeyWrap Under(MasterKey key) => Under(key.Wrapping);

    private KeyWrap Under(SecretBytes parent) => new(parent, master.Current.Tenant.ToString());

    private static CustodyException Vanished(string name) =>
        new($"The key of {name} vanished from the store; restore it from a copy.");
}

/// <summary>What may be destroyed, as the journal, the store and receipts name it.</summary>
internal static class Destroying
{
    public const string Key = "key", Domain = "domain", All = "all";
}
