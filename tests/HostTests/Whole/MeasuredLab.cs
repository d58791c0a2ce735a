using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Pinned;
using Bailiwick.HostTests.Lab;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.HostTests.Whole;

/// <summary>Two hosts with one tenant whose machine proves itself, and what its owner asks and orders.</summary>
internal sealed class MeasuredLab : IAsyncDisposable
{
    private readonly LabDatacentre _datacentre;
    private readonly string _machine;

    private MeasuredLab(LabDatacentre datacentre, LabDeployment deployment, string machine)
    {
        _datacentre = datacentre;
        Deployment = deployment;
        _machine = machine;
    }

    internal LabDeployment Deployment { get; }

    internal LabPaths Paths => Deployment.Paths;

    internal PartyId Bank => Deployment.Desks.Desks["bank"].Facts.Id ?? throw new InvalidOperationException();

    internal string MachineReference => WholeLab.Reference(Deployment, _machine);

    internal string MachineName => WholeLab.NameOf(Deployment, _machine);

    internal static Task<MeasuredLab> Up() => Up(MeasuredPolicies.Write, MeasuredPolicies.Machine);

    /// <summary>A lab with one machine, by `party/name`.</summary>
    internal static async Task<MeasuredLab> Up(Func<string, string> write, string machine)
    {
        await LabFixture.SweepKilledRuns();
        string root = Path.Combine(Path.GetTempPath(), $"bailiwick-lab-{Guid.NewGuid():N}"[..22]);
        Directory.CreateDirectory(LabFixture.Cache);
        Directory.CreateDirectory(root);
        Directory.CreateSymbolicLink(Path.Combine(root, "cache"), LabFixture.Cache);
        LabPaths paths = new(root);
        string policies = write(Path.Combine(root, "written"));
        GuestImage image = await GuestImage.Build(paths.Cache);
        LabDatacentre datacentre = await LabBuilder.Up(paths, policies, hosts: null, null, default);
        LabHosts hosts = new(datacentre, image, MeasuredStart.Take(paths.Cache, null, default));
        return new MeasuredLab(datacentre, await LabDeployment.Create(paths, hosts, policies, null, default), machine);
    }

    public async ValueTask DisposeAsync()
    {
        Deployment.Desks.Dispose();
        string directory = _datacentre.Options.Directory;
        await _datacentre.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    internal LabHost Host(string name) => _datacentre.Host(name);

    /// <summary>The socket of the machine's second line on a host.</summary>
    internal string Line(string host) => Host(host).PathInside(Path.Combine(
        Paths.Proxy(host), "state", "machines", MachineName, "probe.sock"));

    /// <summary>Where the machine's TPM rests.</summary>
    internal string Resting => Directory.GetDirectories(Paths.Pool, "*.tpm").Single();

    internal async Task SetPower(bool running)
    {
        using BoardDesk desk = Deployment.Board("bank");
        await desk.Board.SetPower(MachineReference, running);
    }

    internal async Task Drain(string host, bool draining)
    {
        using BoardDesk desk = Deployment.Board(WholeLab.Operator);
        await desk.Board.SetDrain($"{Deployment.Desks.Operator.Facts.Id}/{host}", draining);
    }

    /// <summary>
    /// A host loses its power and starts anew: all that ran is gone, and the kernel names another boot.
    /// </summary>
    internal async Task PowerLoss(string name)
    {
        LabHost host = Host(name);
        await Deployment.StopProxy(host, default);
        await host.Must("virsh", "destroy", MachineName);
        await Deployment.Boot(host, default);
        string boot = Path.Combine(Paths.Root, "boot_id");
        await File.WriteAllTextAsync(boot, $"{Guid.NewGuid():D}\n");
        await host.Must("mount", "--bind", boot, "/proc/sys/kernel/random/boot_id");
        await Deployment.StartProxy(host, default);
    }

    /// <summary>Signs and publishes the image with other arguments.</summary>
    internal Task SetArguments(string arguments) => SetImage(MeasuredPolicies.Image(arguments));

    /// <summary>Signs and publishes another image.</summary>
    internal async Task SetImage(string image)
    {
        await File.WriteAllTextAsync(Path.Combine(Paths.Policies, MeasuredPolicies.ImageFile), image);
        await Deployment.Publish("bank", Deployment.Desks.Sign("bank", Deployment.LogKey()), default);
    }

    /// <summary>Waits until the machine is in a state on a host, and gives its refusals.</summary>
    internal async Task<string> Until(string state, string? host = null, string because = "")
    {
        string said = "";
        await WholeLab.Until(
            async () =>
            {
                using BoardDesk desk = Deployment.Board("bank");
                CompartmentStatus row = (await desk.Board.Status()).Compartments.Single();
                said = string.Join("; ", row.Refusals.Select(refusal => refusal.Sentence));
                bool isHere = host is null || row.Host?.EndsWith(host, StringComparison.Ordinal) == true;
                return row.State == state && isHere && said.Contains(because, StringComparison.Ordinal)
                    ? null : $"it is {row.State} on {row.Host}: {said}";
            },
            $"the machine is {state} on {host} {because}", TimeSpan.FromSeconds(150));
        return said;
    }

    /// <summary>Waits until the machine has stopped and its TPM rests in another state than before.</summary>
    internal async Task<string> Rested(string? before)
    {
        await WholeLab.Until(
            () => Task.FromResult(Newest() is { } newest && newest != before ? null : "its TPM does not rest"),
            "its TPM rests");
        await Until("stopped");
        return Newest() ?? throw new InvalidOperationException();

        string? Newest() => Directory.GetDirectories(Paths.Pool, "*.tpm") is [var home]
            ? new DirectoryInfo(home).GetFiles().Where(file => file.Name.Length == 64)
                .OrderByDescending(file => file.LastWriteTimeUtc).FirstOrDefault()?.Name
            : null;
    }

    /// <summary>A host's evidence, as the other one verifies it for the bank.</summary>
    internal async Task<VerifiedEvidence> Evidence(string host)
    {
        using ChannelIdentity peer = ChannelIdentity.FromPem(
            Path.Combine(Paths.Proxy(host == "host-1" ? "host-2" : "host-1"), "identity.pem"));
        PublicKey key = Deployment.HostKeys[host];
        using HttpClient http = PinnedHandler.Create(
            peer, key.Id, ChannelAddress.Parse("unix:" + Paths.ProxySocket(host)));
        byte[] nonce = Guid.NewGuid().ToByteArray();
        ProofAnswer answer = await new PeerClient(http).Prove(nonce, after: null, held: null);
        PublicKey service = Deployment.Desks.Desks["bank"].Facts.KeyService ?? throw new InvalidOperationException();
        string reference = $"{Deployment.Desks.Operator.Facts.Id}/{host}";
        EvidenceExpectation expectation = new()
        {
            Host = reference,
            IdentityKey = key,
            EndorsementKey = Digest32.TryParse(
                File.ReadAllText(Path.Combine(Paths.Enrolled, host + ".ek")).Trim(), out Digest32? stated)
                ? stated : null,
            Enrolment = answer.Enrolments.Select(document => EnrolmentDocument.Verify(
                CanonicalJson.Write(document), Bank, service, out _)).FirstOrDefault(one => one?.Host == reference),
            ChannelKey = key.Id,
            IntegrityLog = null,
            Checkpoint = new CheckpointRule(LabDesks.Origin, 0, _ => CheckpointStanding.Consistent),
            Nonce = nonce,
        };
        using VerifierKeyCache keys = new(8);
        EvidenceLogs logs = new(
            Convert.FromBase64String(answer.BootLog), Convert.FromBase64String(answer.RuntimeLog));
        EvidenceVerdict verdict = EvidenceVerifier.Verify(
            CanonicalJson.Write(answer.Evidence ?? default), expectation, logs, keys);
        return Assert.IsType<EvidenceVerdict.Verified>(verdict).Evidence;
    }
}
