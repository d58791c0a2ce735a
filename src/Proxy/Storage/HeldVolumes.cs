using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>What this host asked the key of for a machine, and has not given back.</summary>
/// <param name="Volume"><c>tenant id/name</c>.</param>
/// <param name="Compartment">The machine it was opened for.</param>
/// <param name="Machine">libvirt's name of that machine.</param>
/// <param name="Nonces">
/// The nonces under which its key was asked for, newest first: one of them names the release that a return ends.
/// </param>
public sealed record HeldVolume(string Volume, string Compartment, string Machine, string[] Nonces)
{
    /// <summary>More than this many releases without a return are not remembered.</summary>
    public const int MaxNonces = 4;

    /// <summary>
    /// The volume of the machine that is made as a copy of this one, <c>tenant id/name</c>; empty where the machine
    /// uses it itself. It is given back as soon as it is read, whether the machine runs or not.
    /// </summary>
    public string CopiedInto { get; init; } = "";

    /// <summary>Whom it concerns: the volume's owner and the machine's; nobody if one cannot be read.</summary>
    [JsonIgnore]
    public IntegrityReaders Readers =>
        PartyId.TryParse(Volume.Split('/')[0], out PartyId? owner)
        && PartyId.TryParse(Compartment.Split('/')[0], out PartyId? user)
            ? IntegrityReaders.Of(owner, user)
            : IntegrityReaders.Nobody;
}

/// <summary>
/// Remembers across a crash which volumes are to be given back. A volume is noted before its key is asked for, and
/// struck out only after the key service has confirmed the return.
/// </summary>
public sealed class HeldVolumes
{
    private const string FileName = "held-volumes.json";
    private const int MaxBytes = 4 << 20;
    private readonly PrivateDirectory _directory;
    private readonly Lock _lock = new();
    private ImmutableSortedDictionary<string, HeldVolume> _held;

    private HeldVolumes(PrivateDirectory directory, ImmutableSortedDictionary<string, HeldVolume> held)
    {
        _directory = directory;
        _held = held;
    }

    /// <summary>All that is held now.</summary>
    public ImmutableArray<HeldVolume> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _held.Values];
            }
        }
    }

    /// <summary>Reads what a predecessor held.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="DurableException">The disk refused.</exception>
    public static HeldVolumes Open(PrivateDirectory directory)
    {
        byte[]? text = DurableFile.Read(directory, FileName, MaxBytes);
        try
        {
            HeldVolume[] held = text is null
                ? []
                : JsonSerializer.Deserialize<HeldVolume[]>(text, JsonSerializerOptions.Strict) ?? [];
            return new HeldVolumes(
                directory,
                held.ToImmutableSortedDictionary(h => Key(h.Volume, h.Compartment, h.CopiedInto), h => h,
                    StringComparer.Ordinal));
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{FileName} is damaged: {error.Message}", error);
        }
    }

    /// <summary>Notes, durably, that a volume's key is about to be asked for under a nonce.</summary>
    /// <exception cref="WorldException">The disk refused: the key must not be asked for.</exception>
    public void Hold(string volume, string compartment, string machine, string nonce, string copiedInto = "") =>
        Change(held =>
    {
        string key = Key(volume, compartment, copiedInto);
        string[] earlier = held.TryGetValue(key, out HeldVolume? before) ? before.Nonces : [];
        string[] nonces = [nonce, .. earlier.Take(HeldVolume.MaxNonces - 1)];
        return held.SetItem(
            key, new HeldVolume(volume, compartment, machine, nonces) { CopiedInto = copiedInto });
    });

    /// <summary>Strikes out a nonce under which nothing was released, durably.</summary>
    /// <exception cref="WorldException">
    /// The disk refused: a return is tried with it later and comes to nothing.
    /// </exception>
    public void Forget(string volume, string compartment, string nonce, string copiedInto = "") => Change(held =>
    {
        string key = Key(volume, compartment, copiedInto);
        if (!held.TryGetValue(key, out HeldVolume? before))
        {
            return held;
        }

        string[] rest = [.. before.Nonces.Where(n => n != nonce)];
        return rest.Length == 0 ? held.Remove(key) : held.SetItem(key, before with { Nonces = rest });
    });

    /// <summary>Strikes a volume out, durably.</summary>
    /// <exception cref="WorldException">The disk refused: it is given back once more later.</exception>
    public void Release(HeldVolume volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        Change(held => held.Remove(Key(volume.Volume, volume.Compartment, volume.CopiedInto)));
    }

    /// <summary>One volume may be open in several machines, each by a release of its own.</summary>
    private static string Key(string volume, string compartment, string copiedInto) =>
        $"{volume} {compartment} {copiedInto}";

    private void Change(
        Func<ImmutableSortedDictionary<string, HeldVolume>, ImmutableSortedDictionary<string, HeldVolume>> change)
    {
        lock (_lock)
        {
            ImmutableSortedDictionary<string, HeldVolume> next = change(_held);
            if (ReferenceEquals(next, _held))
            {
                return;
            }

            try
            {
                DurableFile.Replace(_directory, FileName, JsonSerializer.SerializeToUtf8Bytes(next.Values));
            }
            catch (DurableException error)
            {
                throw new WorldException([$"write {FileName}"], -1, error.Message);
            }

            _held = next;
        }
    }
}
