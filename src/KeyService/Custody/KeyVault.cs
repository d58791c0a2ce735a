using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;

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
/// The tenant's keys, of volumes and of the states of machines' TPMs. Each key is made once, kept only wrapped, and
/// held by at most one host. A release goes: intent in the journal, wrapped key and holder in the store, key opened,
/// completion in the journal, answer; so a key that may have left is always one that is kept, with its holder known.
/// After any failure the vault refuses everything until it is opened again, which settles what was under way. Safe for
/// use from several threads.
/// </summary>
public sealed class KeyVault : IDisposable
{
    private readonly Lock _gate = new();
    private readonly KeyStore _store;
    private readonly AppendLog _journal;
    private readonly KeyWrap _wrap;
    private readonly Action<CustodyStep> _trace;
    private bool _failed;

    private KeyVault(KeyStore store, AppendLog journal, KeyWrap wrap, Action<CustodyStep> trace)
    {
        _store = store;
        _journal = journal;
        _wrap = wrap;
        _trace = trace;
    }

    /// <summary>Opens a vault, empty if there is none, and settles what a predecessor left under way.</summary>
    /// <param name="directory">Its private directory.</param>
    /// <param name="wrap">The key encryption key, for this tenant.</param>
    /// <param name="trace">Told of each step; what it throws counts as a failure at that step.</param>
    /// <exception cref="CustodyException">Journal and store do not belong together; nothing was changed.</exception>
    public static KeyVault Open(PrivateDirectory directory, KeyWrap wrap, Action<CustodyStep>? trace = null)
    {
        CustodyHistory history = new();
        AppendLog journal = AppendLog.Open(directory, "releases.log", history.Take);
        KeyStore? store = null;
        try
        {
            store = KeyStore.Open(directory);
            history.Settle(store, journal);
            return new KeyVault(store, journal, wrap, trace ?? (_ => { }));
        }
        catch
        {
            store?.Dispose();
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Who holds a volume's key; null when nobody does.</summary>
    public VaultHolder? HolderOf(string volume) => Guarded(() => _store.Holder(volume));

    /// <summary>What is known of the state of a machine's TPM; empty for a volume, null for what has no key.</summary>
    public string? MarkOf(string volume) => Guarded(() => _store.Mark(volume));

    /// <summary>All volumes that have a key, and who holds each.</summary>
    public IReadOnlyDictionary<string, VaultHolder?> Volumes() => Guarded(_store.Volumes);

    /// <summary>
    /// Gives a volume's key to a host: makes it if there is none yet, and records the host as its holder. When it
    /// returns, the release is durable.
    /// </summary>
    /// <param name="volume">The volume.</param>
    /// <param name="compartment">The machine that is to use it.</param>
    /// <param name="holder">The host, and the nonce of this release.</param>
    /// <param name="seal">Seals the opened key; the key is gone when it returns.</param>
    /// <param name="mark">What is known of the state of a machine's TPM from now on; empty for a volume.</param>
    /// <returns>What was sealed, and the index of the completion in the journal.</returns>
    /// <exception cref="InvalidOperationException">Another host holds it: the decision was not asked.</exception>
    public (T Sealed, long Record) Release<T>(
        string volume, string compartment, VaultHolder holder, Func<SecretBytes, T> seal, string mark = "") =>
        Guarded(() =>
        {
            ArgumentNullException.ThrowIfNull(holder);
            if (_store.Holder(volume) is { } held && held.Host != holder.Host)
            {
                throw new InvalidOperationException($"{held.Host} holds {volume}; a release needs a decision first");
            }

            long intent = Append(new JournalRecord.Intent(volume, compartment, holder, mark));
            _trace(CustodyStep.IntentWritten);
            byte[]? made = _store.Key(volume) is null ? Make(volume) : null;
            _store.Hold(volume, made, holder, mark);
            _trace(CustodyStep.HolderStored);
            var (generation, wrapped) = _store.Key(volume)
                ?? throw new CustodyException($"The key of {volume} vanished from the store; restore it from a copy.");
            using SecretBytes key = _wrap.Unwrap(volume, generation, wrapped);
            _trace(CustodyStep.KeyOpened);
            T result = seal(key);
            long record = Append(new JournalRecord.Completed(intent));
            _trace(CustodyStep.CompletionWritten);
            return (result, record);
        });

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

    private byte[] Make(string volume)
    {
        using SecretBytes key = SecretBytes.Random(KeyWrap.KeyLength);
        return _wrap.Wrap(volume, 1, key);
    }

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
