using Bailiwick.Durable.Files;

namespace Bailiwick.Tests.Fakes;

/// <summary>The machine died inside a system call; nothing of the process runs on.</summary>
public sealed class MachineDiedException : Exception;

/// <summary>What happens at the chosen call.</summary>
public enum DiskFault
{
    Die,
    InputOutput,
    NoSpace,
}

/// <summary>
/// A disk in memory that keeps what is durable apart from what is only seen: a write counts after fsync of its file, a
/// name after fsync of its directory. The k-th changing call fails or kills the machine; at <see cref="Restart"/> what
/// was not synchronised is lost whole, in part or not at all, as the seed says. It refuses calls it does not know.
/// </summary>
public sealed class FakeDisk : IDisk
{
    private const int SectorBytes = 512;
    private readonly Random _random;
    private readonly Dictionary<int, Node> _open = [];
    private readonly Node _root = new() { Kind = DiskKind.Directory, Mode = 0x1ED };
    private int _nextDescriptor = 3;
    private bool _dead;

    public FakeDisk(int seed) => _random = new Random(seed);

    /// <summary>The number of changing calls so far.</summary>
    public int Calls { get; private set; }

    /// <summary>The changing call that goes wrong, from 1; 0 for none.</summary>
    public int FaultAt { get; set; }

    public DiskFault Fault { get; set; }

    /// <summary>Whether a write that succeeds may take fewer bytes than it was given.</summary>
    public bool ShortWrites { get; set; }

    /// <summary>From this changing call on nothing more can be written; 0 for never.</summary>
    public int FullFrom { get; set; }

    public uint EffectiveUser { get; set; } = 1000;

    /// <summary>Places a node as somebody else would, durably.</summary>
    public void Place(string path, DiskKind kind, int mode, uint owner, uint links = 1, byte[]? content = null)
    {
        Node node = _root;
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (string part in parts[..^1])
        {
            node = node.Names[part];
        }

        Node placed = new() { Kind = kind, Mode = mode, Owner = owner, Links = links };
        placed.Live = [.. content ?? []];
        placed.Durable = [.. content ?? []];
        node.Names[parts[^1]] = placed;
        node.DurableNames[parts[^1]] = placed;
    }

    /// <summary>The seen content of a file, to be changed as a failing medium would change it.</summary>
    public byte[] Content(string path) => [.. Find(path).Live];

    public void Damage(string path, Func<byte[], byte[]> change)
    {
        Node node = Find(path);
        node.Live = [.. change([.. node.Live])];
        node.Durable = [.. node.Live];
    }

    /// <summary>Power off and on: what was not synchronised survives as the seed says.</summary>
    public void Restart()
    {
        _open.Clear();
        _dead = false;
        FaultAt = 0;
        _root.Crash(_random);
    }

    /// <summary>The process alone dies: all it wrote stays visible, its descriptors and locks go.</summary>
    public void KillProcess()
    {
        _open.Clear();
        _dead = false;
        FaultAt = 0;
    }

    public int OpenRoot() => Descriptor(_root);

    public int OpenDirectory(int directory, string name)
    {
        if (!_open[directory].Names.TryGetValue(name, out Node? node))
        {
            return -Errno.NoEntry;
        }

        return node.Kind == DiskKind.Directory ? Descriptor(node) : -Errno.NotDirectory;
    }

    public int MakeDirectory(int directory, string name)
    {
        if (Goes(out int error) is false)
        {
            return error;
        }

        Node parent = _open[directory];
        Node made = new() { Kind = DiskKind.Directory, Mode = 0x1C0, Owner = EffectiveUser };
        return parent.Change(names => names.TryAdd(name, made)) ? 0 : -Errno.Exists;
    }

    public int OpenFile(int directory, string name, DiskOpen how)
    {
        Node parent = _open[directory];
        if (how == DiskOpen.CreateNew)
        {
            if (Goes(out int error) is false)
            {
                return error;
            }

            Node made = new() { Kind = DiskKind.File, Mode = 0x180, Owner = EffectiveUser };
            return parent.Change(names => names.TryAdd(name, made)) ? Descriptor(made) : -Errno.Exists;
        }

        return parent.Names.TryGetValue(name, out Node? node) ? Descriptor(node) : -Errno.NoEntry;
    }

    public int Status(int descriptor, out DiskStatus status)
    {
        Node node = _open[descriptor];
        status = new DiskStatus(node.Kind, node.Mode, node.Owner, node.Links, node.Live.Count);
        return 0;
    }

    public int ChangeMode(int descriptor, int mode)
    {
        if (Goes(out int error) is false)
        {
            return error;
        }

        _open[descriptor].Mode = mode;
        return 0;
    }

    public int ReadAt(int descriptor, long offset, Span<byte> bytes)
    {
        List<byte> live = _open[descriptor].Live;
        int count = (int)Math.Clamp(live.Count - offset, 0, bytes.Length);
        live.GetRange((int)offset, count).CopyTo(bytes);
        return count;
    }

    public int WriteAt(int descriptor, long offset, ReadOnlySpan<byte> bytes)
    {
        bool goes = Goes(out int error, dying: false);
        if (FullFrom > 0 && Calls >= FullFrom)
        {
            return -Errno.NoSpace;
        }

        // A failing or dying write may have written a part.
        bool whole = goes && (!ShortWrites || _random.Next(6) != 0);
        int count = whole ? bytes.Length : _random.Next(goes ? 1 : 0, bytes.Length + 1);
        if (count > 0)
        {
            _open[descriptor].Write((int)offset, bytes[..count].ToArray());
        }

        if (!goes && Fault == DiskFault.Die)
        {
            throw Died();
        }

        return goes ? count : error;
    }

    public int Truncate(int descriptor, long length)
    {
        if (Goes(out int error) is false)
        {
            return error;
        }

        _open[descriptor].Truncate((int)length);
        return 0;
    }

    public int Sync(int descriptor)
    {
        Node node = _open[descriptor];
        if (Goes(out int error) is false)
        {
            // As Linux does: the dirty pages are marked clean, reads still show them, a second fsync succeeds.
            node.Pending.Clear();
            return error;
        }

        node.Flush();
        return 0;
    }

    public int Rename(int directory, string from, string to)
    {
        if (Goes(out int error) is false)
        {
            return error;
        }

        bool renamed = _open[directory].Change(names =>
        {
            if (!names.Remove(from, out Node? node))
            {
                return false;
            }

            names[to] = node;
            return true;
        });
        return renamed ? 0 : -Errno.NoEntry;
    }

    public int Unlink(int directory, string name)
    {
        if (!_open[directory].Names.TryGetValue(name, out Node? node))
        {
            return -Errno.NoEntry;
        }

        if (node.Kind == DiskKind.Directory)
        {
            return -Errno.IsDirectory;
        }

        if (Goes(out int error) is false)
        {
            return error;
        }

        _open[directory].Change(names => names.Remove(name));
        return 0;
    }

    public int Lock(int descriptor)
    {
        Node node = _open[descriptor];
        if (_open.Any(open => open.Key != descriptor && open.Value == node && open.Value.LockedBy == open.Key))
        {
            return -Errno.WouldBlock;
        }

        node.LockedBy = descriptor;
        return 0;
    }

    public int Unlock(int descriptor)
    {
        if (!_open.TryGetValue(descriptor, out Node? node))
        {
            return -Errno.BadDescriptor;
        }

        node.LockedBy = node.LockedBy == descriptor ? -1 : node.LockedBy;
        return 0;
    }

    public int Close(int descriptor) => _open.Remove(descriptor) ? 0 : -Errno.BadDescriptor;

    private int Descriptor(Node node)
    {
        if (_dead)
        {
            throw new MachineDiedException();
        }

        _open[_nextDescriptor] = node;
        return _nextDescriptor++;
    }

    private bool Goes(out int error, bool dying = true)
    {
        if (_dead)
        {
            throw new MachineDiedException();
        }

        Calls++;
        error = Fault == DiskFault.NoSpace ? -Errno.NoSpace : -Errno.InputOutput;
        if (Calls != FaultAt)
        {
            return true;
        }

        return Fault == DiskFault.Die && dying ? throw Died() : false;
    }

    private MachineDiedException Died()
    {
        _dead = true;
        return new MachineDiedException();
    }

    private Node Find(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(_root, (node, part) => node.Names[part]);

    private sealed class Node
    {
        public DiskKind Kind { get; init; }

        public int Mode { get; set; }

        public uint Owner { get; init; }

        public uint Links { get; init; } = 1;

        public int LockedBy { get; set; } = -1;

        public List<byte> Live { get; set; } = [];

        public List<byte> Durable { get; set; } = [];

        public Dictionary<string, Node> Names { get; private set; } = [];

        public Dictionary<string, Node> DurableNames { get; private set; } = [];

        // Changes of the content seen but not durable: (offset, bytes), or (length, null) for a truncation.
        public List<(int At, byte[]? Bytes)> Pending { get; } = [];

        private List<Func<Dictionary<string, Node>, bool>> PendingNames { get; } = [];

        public bool Change(Func<Dictionary<string, Node>, bool> change)
        {
            bool changed = change(Names);
            if (changed)
            {
                PendingNames.Add(change);
            }

            return changed;
        }

        public void Write(int at, byte[] bytes)
        {
            Put(Live, at, bytes);
            Pending.Add((at, bytes));
        }

        public void Truncate(int length)
        {
            Live.RemoveRange(length, Live.Count - length);
            Pending.Add((length, null));
        }

        public void Flush()
        {
            Durable = [.. Live];
            DurableNames = new Dictionary<string, Node>(Names);
            Pending.Clear();
            PendingNames.Clear();
        }

        public void Crash(Random random)
        {
            // Names change in the order of the journal: a prefix of the changes survives.
            foreach (Func<Dictionary<string, Node>, bool> change in
                PendingNames.Take(random.Next(PendingNames.Count + 1)))
            {
                change(DurableNames);
            }

            Names = new Dictionary<string, Node>(DurableNames);
            CrashContent(random);
            Live = [.. Durable];
            Pending.Clear();
            PendingNames.Clear();
            LockedBy = -1;
            foreach (Node node in Names.Values)
            {
                node.Crash(random);
            }
        }

        private void CrashContent(Random random)
        {
            bool scattered = random.Next(2) == 0;
            int whole = random.Next(Pending.Count + 1);
            List<byte> seen = [.. Durable];
            for (int i = 0; i < Pending.Count && (scattered || i <= whole); i++)
            {
                (int at, byte[]? bytes) = Pending[i];
                if (bytes is null)
                {
                    Cut(Durable, at);
                    Cut(seen, at);
                }
                else if (scattered)
                {
                    Put(seen, at, bytes);
                    PutSomeSectors(random, at, bytes.Length, seen);
                }
                else
                {
                    Put(Durable, at, i < whole ? bytes : bytes[..random.Next(bytes.Length + 1)]);
                }
            }
        }

        // The length is durable but some sectors never reached the medium: they keep what was there, or zeros. A sector
        // that did carries all that was written to it so far, by earlier writes too.
        private void PutSomeSectors(Random random, int at, int length, List<byte> seen)
        {
            Put(Durable, at + length, []);
            for (int sector = at - (at % SectorBytes); sector < at + length; sector += SectorBytes)
            {
                if (random.Next(3) != 0)
                {
                    int end = Math.Min(sector + SectorBytes, seen.Count);
                    Put(Durable, sector, [.. seen[sector..end]]);
                }
            }
        }

        private static void Cut(List<byte> content, int length)
        {
            if (content.Count > length)
            {
                content.RemoveRange(length, content.Count - length);
            }
        }

        private static void Put(List<byte> content, int at, byte[] bytes)
        {
            while (content.Count < at + bytes.Length)
            {
                content.Add(0);
            }

            for (int i = 0; i < bytes.Length; i++)
            {
                content[at + i] = bytes[i];
            }
        }
    }
}
