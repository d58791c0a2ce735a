using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Xml.Linq;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>
/// QEMU machines through libvirt's C library (libvirt.so.0, API of 9.0): the system daemon on this host, over its unix
/// socket. After the connection is lost every call fails; open another.
/// </summary>
public sealed class LibvirtHypervisor : IHypervisor
{
    private const int UuidBytes = 16;
    private const int NodeInfoBytes = 64;
    private const uint Validate = 1;
    private const uint StartPaused = 1;

    // What somebody saved of a machine's memory is thrown away: a machine never comes from there, it boots.
    private const uint StartFresh = 8;
    private const uint XmlWithSecrets = 1;
    private const uint XmlStored = 2;
    private const uint AffectRunning = 1;
    private const uint AffectStored = 2;
    private const int MetadataElement = 2;
    private const uint ConsoleTakeOver = 1;
    private const uint ConsoleSafe = 2;

    // Managed save, snapshot and checkpoint metadata, firmware variables, TPM state: nothing of a machine stays behind.
    private const uint UndefineAll = 1 | 2 | 4 | 16 | 32;
    private readonly LibvirtConnection _connection;

    private LibvirtHypervisor(LibvirtConnection connection) => _connection = connection;

    private ConnectionHandle Handle => _connection.Handle;

    /// <summary>Connects to the system daemon.</summary>
    /// <param name="socketPath">The absolute path of its unix socket; empty or null for the system's own.</param>
    /// <exception cref="LibvirtException">No daemon answers there.</exception>
    public static LibvirtHypervisor Open(string? socketPath = null)
    {
        if (string.IsNullOrEmpty(socketPath))
        {
            return new LibvirtHypervisor(LibvirtConnection.Open("qemu:///system"));
        }

        return Path.IsPathFullyQualified(socketPath)
            ? new LibvirtHypervisor(
                LibvirtConnection.Open($"qemu+unix:///system?socket={Uri.EscapeDataString(socketPath)}"))
            : throw new ArgumentException("the socket's path is absolute", nameof(socketPath));
    }

    /// <inheritdoc/>
    public HypervisorFacts Facts()
    {
        Done(NativeLibvirt.virConnectGetLibVersion(Handle, out nuint library), "virConnectGetLibVersion", "host");
        Done(NativeLibvirt.virConnectGetVersion(Handle, out nuint hypervisor), "virConnectGetVersion", "host");
        string name = Taken(NativeLibvirt.virConnectGetHostname(Handle), "virConnectGetHostname", "host");
        // struct _virNodeInfo: char model[32]; unsigned long memory (KiB); unsigned int cpus; ...
        Span<byte> node = stackalloc byte[NodeInfoBytes];
        Done(NativeLibvirt.virNodeGetInfo(Handle, node), "virNodeGetInfo", "host");
        int end = node[..32].IndexOf((byte)0);
        string model = Encoding.UTF8.GetString(node[..(end < 0 ? 32 : end)]);
        return new HypervisorFacts(
            ToVersion(library), ToVersion(hypervisor), name, model, BitConverter.ToInt64(node[32..]) / 1024,
            BitConverter.ToInt32(node[40..]));
    }

    /// <inheritdoc/>
    public IReadOnlyList<MachineStatus> List()
    {
        int count = Done(
            NativeLibvirt.virConnectListAllDomains(Handle, out nint array, 0), "virConnectListAllDomains", "host");
        List<MachineHandle> machines = [.. Pointers(array, count).Select(pointer => new MachineHandle(pointer))];
        try
        {
            return [.. machines.Select(StatusOrGone).OfType<MachineStatus>()];
        }
        finally
        {
            machines.ForEach(machine => machine.Dispose());
        }
    }

    /// <inheritdoc/>
    public MachineStatus? Find(Guid machine)
    {
        using MachineHandle? found = TryLookup(machine);
        return found is null ? null : StatusOrGone(found);
    }

    /// <inheritdoc/>
    public MachineStatus? Find(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        using MachineHandle found = NativeLibvirt.virDomainLookupByName(Handle, name);
        return Present(found, LibvirtException.NoMachine, "virDomainLookupByName", name) ? StatusOrGone(found) : null;
    }

    /// <inheritdoc/>
    public Guid Define(string xml)
    {
        ArgumentException.ThrowIfNullOrEmpty(xml);
        using MachineHandle machine = NativeLibvirt.virDomainDefineXMLFlags(Handle, xml, Validate);
        if (machine.IsInvalid)
        {
            throw LibvirtException.Last("virDomainDefineXMLFlags", "machine");
        }

        return IdOf(machine);
    }

    /// <inheritdoc/>
    public void Undefine(Guid machine) => Act(
        machine, "virDomainUndefineFlags", handle => NativeLibvirt.virDomainUndefineFlags(handle, UndefineAll));

    /// <inheritdoc/>
    public void Start(Guid machine, bool paused = false) => Act(
        machine, "virDomainCreateWithFlags",
        handle => NativeLibvirt.virDomainCreateWithFlags(handle, StartFresh | (paused ? StartPaused : 0)));

    /// <inheritdoc/>
    public void Shutdown(Guid machine) => Act(
        machine, "virDomainShutdownFlags", handle => NativeLibvirt.virDomainShutdownFlags(handle, 0));

    /// <inheritdoc/>
    public void Kill(Guid machine) => Act(
        machine, "virDomainDestroyFlags", handle => NativeLibvirt.virDomainDestroyFlags(handle, 0));

    /// <inheritdoc/>
    public void Suspend(Guid machine) => Act(machine, "virDomainSuspend", NativeLibvirt.virDomainSuspend);

    /// <inheritdoc/>
    public void Resume(Guid machine) => Act(machine, "virDomainResume", NativeLibvirt.virDomainResume);

    /// <inheritdoc/>
    public string Xml(Guid machine, MachineXmlView view, bool withSecrets = false)
    {
        uint flags = (withSecrets ? XmlWithSecrets : 0) | view switch
        {
            MachineXmlView.Current => 0,
            MachineXmlView.Stored => XmlStored,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        using MachineHandle handle = Lookup(machine);
        return Taken(NativeLibvirt.virDomainGetXMLDesc(handle, flags), "virDomainGetXMLDesc", $"{machine}");
    }

    /// <inheritdoc/>
    public void AttachDevice(Guid machine, string xml, DeviceScope scope) => Act(
        machine, "virDomainAttachDeviceFlags",
        handle => NativeLibvirt.virDomainAttachDeviceFlags(handle, xml, Affected(scope)));

    /// <inheritdoc/>
    public void UpdateDevice(Guid machine, string xml, DeviceScope scope) => Act(
        machine, "virDomainUpdateDeviceFlags",
        handle => NativeLibvirt.virDomainUpdateDeviceFlags(handle, xml, Affected(scope)));

    /// <inheritdoc/>
    public void DetachDevice(Guid machine, string xml, DeviceScope scope) => Act(
        machine, "virDomainDetachDeviceFlags",
        handle => NativeLibvirt.virDomainDetachDeviceFlags(handle, xml, Affected(scope)));

    /// <inheritdoc/>
    public string? Metadata(Guid machine, string namespaceUri)
    {
        using MachineHandle handle = Lookup(machine);
        nint text = NativeLibvirt.virDomainGetMetadata(handle, MetadataElement, namespaceUri, 0);
        return text != 0 || Failed(LibvirtException.NoMetadata, "virDomainGetMetadata", $"{machine}")
            ? Taken(text, "virDomainGetMetadata", $"{machine}")
            : null;
    }

    /// <inheritdoc/>
    public void SetMetadata(Guid machine, string prefix, string namespaceUri, string? xml)
    {
        using MachineHandle handle = Lookup(machine);
        uint scope = (NativeLibvirt.virDomainIsPersistent(handle) == 1 ? AffectStored : 0)
            | (RunNumber(handle) is null ? 0 : AffectRunning);
        Done(
            NativeLibvirt.virDomainSetMetadata(handle, MetadataElement, xml, prefix, namespaceUri, scope),
            "virDomainSetMetadata", $"{machine}");
    }

    /// <inheritdoc/>
    public Stream OpenConsole(Guid machine, string? device = null, bool takeOver = false)
    {
        using MachineHandle handle = Lookup(machine);
        StreamHandle stream = NativeLibvirt.virStreamNew(Handle, 0);
        try
        {
            if (stream.IsInvalid)
            {
                throw LibvirtException.Last("virStreamNew", $"{machine}");
            }

            // SAFE: libvirt makes sure that no two users share one console.
            uint flags = takeOver ? ConsoleTakeOver : ConsoleSafe;
            Done(
                NativeLibvirt.virDomainOpenConsole(handle, device, stream, flags), "virDomainOpenConsole",
                $"{machine}");
            return new LibvirtConsole(stream, machine.ToString());
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void DefineSecret(Guid secret, string volume)
    {
        ArgumentException.ThrowIfNullOrEmpty(volume);
        // ephemeral: only in the daemon's memory. private: the daemon gives the value to nobody, not even to us.
        XElement xml = new(
            "secret", new XAttribute("ephemeral", "yes"), new XAttribute("private", "yes"),
            new XElement("uuid", secret.ToString()),
            new XElement("usage", new XAttribute("type", "volume"), new XElement("volume", volume)));
        using SecretHandle handle = NativeLibvirt.virSecretDefineXML(
            Handle, xml.ToString(SaveOptions.DisableFormatting), Validate);
        if (handle.IsInvalid)
        {
            throw LibvirtException.Last("virSecretDefineXML", $"{secret}");
        }
    }

    /// <inheritdoc/>
    public void SetSecret(Guid secret, ReadOnlySpan<byte> value)
    {
        // The span is pinned for the call, not copied: there is no second buffer of ours to wipe.
        using SecretHandle? handle = TryLookupSecret(secret);
        Done(
            NativeLibvirt.virSecretSetValue(handle ?? throw Missing(secret), value, (nuint)value.Length, 0),
            "virSecretSetValue", $"{secret}");
    }

    /// <inheritdoc/>
    public bool RemoveSecret(Guid secret)
    {
        using SecretHandle? handle = TryLookupSecret(secret);
        return handle is not null
            && Done(NativeLibvirt.virSecretUndefine(handle), "virSecretUndefine", $"{secret}") >= 0;
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<Guid, string> Secrets()
    {
        int count = Done(
            NativeLibvirt.virConnectListAllSecrets(Handle, out nint array, 0), "virConnectListAllSecrets", "host");
        Dictionary<Guid, string> found = [];
        foreach (nint pointer in Pointers(array, count))
        {
            using SecretHandle secret = new(pointer);
            byte[] uuid = new byte[UuidBytes];
            Done(NativeLibvirt.virSecretGetUUID(secret, uuid), "virSecretGetUUID", "secret");
            found[new Guid(uuid, bigEndian: true)] =
                Marshal.PtrToStringUTF8(NativeLibvirt.virSecretGetUsageID(secret)) ?? "";
        }

        return found;
    }

    /// <inheritdoc/>
    public IMachineWatch Watch() => new LibvirtWatch(_connection);

    /// <summary>Ends the watches and closes the connection.</summary>
    public void Dispose() => _connection.Dispose();

    private static uint Affected(DeviceScope scope) => scope switch
    {
        DeviceScope.Running => AffectRunning,
        DeviceScope.Stored => AffectStored,
        DeviceScope.Both => AffectRunning | AffectStored,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Version ToVersion(nuint number) =>
        new((int)(number / 1_000_000), (int)(number / 1000 % 1000), (int)(number % 1000));

    private static Guid IdOf(MachineHandle machine)
    {
        Span<byte> uuid = stackalloc byte[UuidBytes];
        Done(NativeLibvirt.virDomainGetUUID(machine, uuid), "virDomainGetUUID", "machine");
        return new Guid(uuid, bigEndian: true);
    }

    private static int? RunNumber(MachineHandle machine)
    {
        uint number = NativeLibvirt.virDomainGetID(machine);
        return number == uint.MaxValue ? null : (int)number;
    }

    // Null when the machine went away between being listed and being asked.
    private static MachineStatus? StatusOrGone(MachineHandle machine)
    {
        Guid id = IdOf(machine);
        if (NativeLibvirt.virDomainGetState(machine, out int state, out int reason, 0) < 0
            && !Failed(LibvirtException.NoMachine, "virDomainGetState", $"{id}"))
        {
            return null;
        }

        int stored = NativeLibvirt.virDomainIsPersistent(machine);
        if (stored < 0 && !Failed(LibvirtException.NoMachine, "virDomainIsPersistent", $"{id}"))
        {
            return null;
        }

        string name = Marshal.PtrToStringUTF8(NativeLibvirt.virDomainGetName(machine)) ?? "";
        MachineRunState known = Enum.IsDefined((MachineRunState)state)
            ? (MachineRunState)state
            : throw new LibvirtException(
                "virDomainGetState", $"{id}", -1, 0, string.Create(CultureInfo.InvariantCulture, $"state {state}?"));
        // The number a handle got at lookup may be stale by now, so the state decides.
        int? number = known is MachineRunState.Off ? null : RunNumber(machine);
        return new MachineStatus(id, name, known, reason, number, stored == 1);
    }

    private static int Done(int result, string call, string subject) =>
        result >= 0 ? result : throw LibvirtException.Last(call, subject);

    // False when the last error is the expected absence; throws any other.
    private static bool Failed(int absence, string call, string subject)
    {
        LibvirtException failed = LibvirtException.Last(call, subject);
        return failed.Code == absence ? false : throw failed;
    }

    private static bool Present(SafeHandle found, int absence, string call, string subject) =>
        !found.IsInvalid || Failed(absence, call, subject);

    private static string Taken(nint text, string call, string subject)
    {
        if (text == 0)
        {
            throw LibvirtException.Last(call, subject);
        }

        string taken = Marshal.PtrToStringUTF8(text) ?? "";
        NativeLibvirt.free(text);
        return taken;
    }

    private static nint[] Pointers(nint array, int count)
    {
        nint[] pointers = new nint[count];
        Marshal.Copy(array, pointers, 0, count);
        NativeLibvirt.free(array);
        return pointers;
    }

    private static LibvirtException Missing(Guid secret) =>
        new("virSecretLookupByUUID", $"{secret}", LibvirtException.NoSecret, 0, "there is no such secret");

    private static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    private void Act(Guid machine, string call, Func<MachineHandle, int> act)
    {
        using MachineHandle handle = Lookup(machine);
        Done(act(handle), call, $"{machine}");
    }

    private MachineHandle Lookup(Guid machine) => TryLookup(machine) ?? throw new LibvirtException(
        "virDomainLookupByUUID", $"{machine}", LibvirtException.NoMachine, 0, "there is no such machine");

    private MachineHandle? TryLookup(Guid machine)
    {
        MachineHandle found = NativeLibvirt.virDomainLookupByUUID(Handle, Bytes(machine));
        if (Present(found, LibvirtException.NoMachine, "virDomainLookupByUUID", $"{machine}"))
        {
            return found;
        }

        found.Dispose();
        return null;
    }

    private SecretHandle? TryLookupSecret(Guid secret)
    {
        SecretHandle found = NativeLibvirt.virSecretLookupByUUID(Handle, Bytes(secret));
        if (Present(found, LibvirtException.NoSecret, "virSecretLookupByUUID", $"{secret}"))
        {
            return found;
        }

        found.Dispose();
        return null;
    }
}
