namespace Bailiwick.Proxy.Host;

/// <summary>Which description of a machine is read.</summary>
public enum MachineXmlView
{
    /// <summary>The running machine's when it runs, else the stored one.</summary>
    Current,

    /// <summary>The stored one, which the next start uses.</summary>
    Stored,
}

/// <summary>What a change of a device applies to.</summary>
public enum DeviceScope
{
    /// <summary>The running machine.</summary>
    Running,

    /// <summary>The stored description.</summary>
    Stored,

    /// <summary>Both, or nothing.</summary>
    Both,
}

/// <summary>
/// The machines of this host, as the managers need them. A call that fails is a <see cref="WorldException"/>; a call
/// for a machine that does not exist is one too, where null is not named as the answer. Safe for several threads.
/// </summary>
public interface IHypervisor : IDisposable
{
    /// <summary>Versions and the physical machine.</summary>
    HypervisorFacts Facts();

    /// <summary>All machines, running or not, of anybody.</summary>
    IReadOnlyList<MachineStatus> List();

    /// <summary>The machine with this id; null when there is none.</summary>
    MachineStatus? Find(Guid machine);

    /// <summary>The machine with this name; null when there is none.</summary>
    MachineStatus? Find(string name);

    /// <summary>Stores a description, checked against the schema; a machine of the same id is replaced.</summary>
    Guid Define(string xml);

    /// <summary>Forgets a stopped machine with its firmware variables and its emulated TPM's state.</summary>
    void Undefine(Guid machine);

    /// <summary>Starts a stored machine; paused, it executes nothing until <see cref="Resume"/>.</summary>
    void Start(Guid machine, bool paused = false);

    /// <summary>Asks the machine to end; returns before it has.</summary>
    void Shutdown(Guid machine);

    /// <summary>Ends the machine at once.</summary>
    void Kill(Guid machine);

    /// <summary>Stops its processors; memory and devices stay.</summary>
    void Suspend(Guid machine);

    /// <summary>Lets its processors run again.</summary>
    void Resume(Guid machine);

    /// <summary>Its description, with the parts that hold secrets when asked.</summary>
    string Xml(Guid machine, MachineXmlView view, bool withSecrets = false);

    /// <summary>Adds a device.</summary>
    void AttachDevice(Guid machine, string xml, DeviceScope scope);

    /// <summary>Changes a device in place, such as the link state of a port.</summary>
    void UpdateDevice(Guid machine, string xml, DeviceScope scope);

    /// <summary>Removes a device; of a running machine it is gone only when the event says so.</summary>
    void DetachDevice(Guid machine, string xml, DeviceScope scope);

    /// <summary>The element stored with the machine under an XML namespace; null when there is none.</summary>
    string? Metadata(Guid machine, string namespaceUri);

    /// <summary>Stores an element with the machine, for running and next start; null removes it.</summary>
    void SetMetadata(Guid machine, string prefix, string namespaceUri, string? xml);

    /// <summary>The console of a running machine, both ways, for one user at a time.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="device">The alias of a character device; null for the first console.</param>
    /// <param name="takeOver">Whether a present user is thrown out.</param>
    Stream OpenConsole(Guid machine, string? device = null, bool takeOver = false);

    /// <summary>Makes a place for a volume's key: in memory only, and never handed out again.</summary>
    /// <param name="secret">Its id, which the machine's disk names.</param>
    /// <param name="volume">The absolute path of the volume it is for; unique on the host.</param>
    void DefineSecret(Guid secret, string volume);

    /// <summary>Puts the key into its place. The caller wipes the span.</summary>
    void SetSecret(Guid secret, ReadOnlySpan<byte> value);

    /// <summary>Forgets the key and its place; false when there was none.</summary>
    bool RemoveSecret(Guid secret);

    /// <summary>The places for keys there are: id and what each is for.</summary>
    IReadOnlyDictionary<Guid, string> Secrets();

    /// <summary>Begins to watch what happens to machines. List after this call, then nothing is missed.</summary>
    IMachineWatch Watch();
}
