using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Hierarchy;
using Bailiwick.KeyService.HostLogs;
using Bailiwick.KeyService.Leasing;
using Bailiwick.KeyService.Nonces;
using Bailiwick.KeyService.Proving;
using Bailiwick.KeyService.Releasing;
using Bailiwick.KeyService.Restarting;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Keyring;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService;

/// <summary>The bank's key service without its channel: desks over real files, at a clock that tests move.</summary>
internal sealed class DeskBench : IDisposable
{
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private readonly MasterKeyFile _master;
    private readonly PrivateDirectory _directory;

    public DeskBench()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, Path);
        _master = Masters.InNew(Path, ReleaseScene.Bank);
        Enrolments = EnrolmentBook.Open(_directory, ReleaseScene.Bank, Service.PublicKey, Service);
        Leases = LeaseBook.Open(_directory, Clock);
        HostLogs = HostLogBook.Open(_directory);
        Proofs = new HostProofs(ReleaseScene.Bank, Enrolments, HostLogs);
        Snapshot = new PolicySnapshot(
            new ReleaseScene().Datacentre, null, PrincipalRegister.Empty,
            new VerifiedPoint("log.example", ReleaseScene.Newest.Size, ReleaseScene.Newest.Root), []);
        Policies = () => Snapshot;
        Restart();
    }

    /// <summary>Told of each step of the vault; what it throws is its death.</summary>
    public Action<CustodyStep> Trace { get; set; } = _ => { };

    /// <summary>Whether a step of the vault failed, after which it refuses everything.</summary>
    public bool HasDied { get; private set; }

    /// <summary>The vault is opened again, and the desks are new; what others keep stays.</summary>
    [MemberNotNull(
        nameof(Vault), nameof(Desk), nameof(Holders), nameof(Keys), nameof(Leasing), nameof(Changes),
        nameof(Restarts), nameof(Scrubs), nameof(Openings))]
    public void Restart()
    {
        Vault?.Dispose();
        HasDied = false;
        Restarts?.Dispose();
        Restarts = RestartBook.Open(_directory, Clock);
        Vault = KeyVault.Open(_directory, _master, Clock, Traced);
        NonceBook nonces = new(Clock);
        CheckpointHistory history = new(new NoBoard());
        Desk = new ReleaseDesk(Vault, Proofs, nonces, history, () => Snapshot, Clock)
        {
            Tenant = ReleaseScene.Bank,
            BestAssurance = "tpm",
            Leases = Leases,
            Restarts = Restarts,
            Sender = (Service, Service.PublicKey),
        };
        Holders = new HolderDesk(Vault, Desk, () => Snapshot, Clock);
        Leases.Refused = Holders.LoseTrust;
        Changes = PostedChanges.Open(_directory, ReleaseScene.Bank, Service, Clock);
        Keys = new HierarchyDesk(Vault, Desk, Leases, () => Snapshot, Service) { Changes = Changes };
        Keys.Tell();
        Leasing = new LeaseDesk(Leases, Proofs, nonces, history, () => Policies(), Clock)
        {
            Tenant = ReleaseScene.Bank,
            Bar = Keys.Bar,
            Restarts = new RestartDesk(Restarts, Vault, Desk),
        };
        Scrubs = new ScrubDesk(Vault, Keys, Leases, () => Snapshot, Service);
        Openings = new OpeningDesk(Desk, Proofs, () => Snapshot, Keys.Doubt, Clock);
    }

    /// <summary>What enrolments and receipts are signed with.</summary>
    public static PublicKey ServiceKey => Service.PublicKey;

    public HierarchyDesk Keys { get; private set; }

    public PostedChanges Changes { get; private set; }

    public ScrubDesk Scrubs { get; private set; }

    public OpeningDesk Openings { get; private set; }

    public string Path { get; } = Directory.CreateTempSubdirectory("bw-desk-").FullName;

    public MovedClock Clock { get; } = new();

    public PolicySnapshot Snapshot { get; set; }

    /// <summary>How the lease desk finds the policies.</summary>
    public Func<PolicySnapshot> Policies { get; set; }

    public KeyVault Vault { get; private set; }

    public RestartBook Restarts { get; private set; }

    public EnrolmentBook Enrolments { get; }

    public LeaseBook Leases { get; }

    public HostLogBook HostLogs { get; }

    public HostProofs Proofs { get; }

    /// <summary>What hosts show of their integrity log beside evidence.</summary>
    public IntegrityTail Shown { get; set; } = QuotedEvidence.Log.Tail(ReleaseScene.Bank);

    public JsonElement ShownLog => JsonElement.Parse(Shown.Write());

    public ReleaseDesk Desk { get; private set; }

    public HolderDesk Holders { get; private set; }

    public LeaseDesk Leasing { get; private set; }

    public static DomainRef Web { get; } = new(ReleaseScene.Bank, StatementName.Parse("web"));

    /// <summary>A document of keys as somebody makes it who has the sealed master key of now.</summary>
    public byte[] Prepare(DomainRef domain, params string[] keys) =>
        PreparedKeys.Make(_master.Current, domain.ToString(), keys);

    /// <summary>The first key of such a document.</summary>
    public byte[] Opened(byte[] prepared) => Masters.Bytes(
        (PreparedKeys.Read(prepared)?.Open(_master.Current) ?? throw new InvalidOperationException("not open"))[0]);

    /// <summary>A host has a lease for the bank's web.</summary>
    public void Lend(int host) => Leases.Take(ReleaseScene.HostOf(host), Web, []);

    public string? Doubt(int host) => Leases.Doubt(ReleaseScene.HostOf(host), Web);

    /// <summary>The key service ends; its files can be read.</summary>
    public void Close()
    {
        Proofs.Dispose();
        HostLogs.Dispose();
        Leases.Dispose();
        Enrolments.Dispose();
        Vault.Dispose();
        Restarts.Dispose();
    }

    public void Dispose()
    {
        Close();
        _directory.Dispose();
        _master.Dispose();
        Directory.Delete(Path, recursive: true);
    }

    private void Traced(CustodyStep step)
    {
        HasDied = true;
        Trace(step);
        HasDied = false;
    }

    public static RouteCall Call(EcdsaSigner host) => new(
        Principal.Of(
            PrincipalKind.Host, host.Id, PartyId.Unsigned("alpine"),
            StatementName.Parse(host == ReleaseScene.Host1 ? "host-1" : "host-2")),
        new RouteValues(new Dictionary<string, string>()), new Dictionary<string, long>(), () => true,
        TestContext.Current.CancellationToken);

    /// <summary>A board that answers nothing.</summary>
    private sealed class NoBoard : IBoard
    {
        private static BoardException Away => new("the board is away");

        public Task<PostOutcome> Publish(IReadOnlyList<ReadOnlyMemory<byte>> envelopes, CancellationToken cancel) =>
            throw Away;

        public Task<EntriesPage> Entries(long from, int limit, CancellationToken cancel) => throw Away;

        public IAsyncEnumerable<WatchEvent> Watch(long from, CancellationToken cancel) => throw Away;

        public Task<string> Checkpoint(CancellationToken cancel) => throw Away;

        public Task<ProofHashes> Inclusion(long index, long size, CancellationToken cancel) => throw Away;

        public Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel) => throw Away;

        public Task<ImmutableArray<PlacementRow>> Placements(CancellationToken cancel) => throw Away;

        public Task SetPower(string compartment, bool running, CancellationToken cancel) => throw Away;

        public Task SetDrain(string host, bool draining, CancellationToken cancel) => throw Away;

        public Task Report(string host, HostReport report, CancellationToken cancel) => throw Away;

        public Task ReportLeases(LeaseReport report, CancellationToken cancel) => throw Away;

        public Task<BoardStatus> Status(CancellationToken cancel) => throw Away;
    }
}
