using System.Security.Cryptography;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.MachineTpms;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;

namespace Bailiwick.HostTests.Proxy;

/// <summary>Machines' TPMs by the real swtpm: made, certified, encrypted, laid down and taken up again.</summary>
public sealed class MachineTpmTests : IDisposable
{
    private static readonly CompartmentRef Machine = new(PartyId.Unsigned("bank"), StatementName.Parse("web-1"));
    private static readonly HostRef Host = new(PartyId.Unsigned("alpine"), StatementName.Parse("host-1"));
    private readonly string _root = Directory.CreateTempSubdirectory("bw-mtpm-").FullName;
    private readonly SecretBytes _key = SecretBytes.Random(32);
    private readonly ECDsa _identity = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RealHost _host = new();
    private readonly MachineTpmKeeper _keeper;

    public MachineTpmTests() => _keeper = Keeper("machines");

    private string Pool => Path.Combine(_root, "pool");

    private string Resting => Path.Combine(Pool, MachineTpmPlan.NameOf(Machine));

    public void Dispose()
    {
        foreach (string host in new[] { "machines", "other" })
        {
            Tpm(host).End();
        }

        _key.Dispose();
        _identity.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void A_blank_TPM_is_made_certified_and_keeps_its_key_over_its_rests()
    {
        Assert.Equal([null], _keeper.Offers(Machine, isHeld: false));
        Digest32 first = Run(_keeper, null);
        Assert.Equal([first], _keeper.Offers(Machine, isHeld: false));
        SubjectKey key = ShownBy(_keeper, "machines", first, out Digest32 second);

        // The same TPM on another host, which certifies it anew.
        MachineTpmKeeper other = Keeper("other");
        Assert.Equal([second, first], other.Offers(Machine, isHeld: false));
        Assert.Equal(key, ShownBy(other, "other", second, out _));
    }

    [Fact]
    public void The_state_is_encrypted_and_opens_with_no_other_key()
    {
        Digest32 state = Run(_keeper, null);
        byte[] content = File.ReadAllBytes(Path.Combine(Resting, state.Hex));
        Assert.True(Entropy(content) > 7, "it looks like plain text");
        using SecretBytes wrong = SecretBytes.Random(32);
        Assert.Throws<WorldException>(() => _keeper.Start(Machine, wrong, state));
        _keeper.Start(Machine, _key, state);
        byte[] key = Bytes();
        Assert.All(
            Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories)
                .Where(file => !file.EndsWith(".sock", StringComparison.Ordinal)),
            file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(key)));
    }

    [Fact]
    public void A_host_that_has_not_given_it_back_shows_only_the_state_that_is_here()
    {
        Digest32 first = Run(_keeper, null);
        _keeper.Start(Machine, _key, first);
        Digest32 here = Assert.IsType<Digest32>(Assert.Single(_keeper.Offers(Machine, isHeld: true)));
        Assert.NotEqual(first, here);

        // What was left here and given back is not shown any more: the pool is.
        Assert.Equal([first], _keeper.Offers(Machine, isHeld: false));
    }

    [Fact]
    public void Refuses_a_state_that_is_not_what_its_name_says()
    {
        Digest32 state = Run(_keeper, null);
        string file = Path.Combine(Resting, state.Hex);
        byte[] content = File.ReadAllBytes(file);
        content[^1] ^= 1;
        File.WriteAllBytes(file, content);
        Assert.Contains("something else", Assert.Throws<WorldException>(
            () => _keeper.Start(Machine, _key, state)).Message, StringComparison.Ordinal);
        string changed = Path.Combine(Resting, Digest32.Of(content).Hex);
        File.Move(file, changed);

        // Under its right name it is read, and swtpm finds that it was changed.
        Assert.Throws<WorldException>(() => _keeper.Start(Machine, _key, Digest32.Of(content)));
    }

    [Fact]
    public void Keeps_the_newest_states_and_passes_over_what_is_none()
    {
        Digest32 newest = Run(_keeper, null);
        File.WriteAllText(Path.Combine(Resting, "notes"), "");
        for (int i = 0; i < MachineTpmStates.Most; i++)
        {
            newest = Run(_keeper, newest);
        }

        var offers = _keeper.Offers(Machine, isHeld: false);
        Assert.Equal(MachineTpmStates.Most, offers.Length);
        Assert.Equal(newest, offers[0]);
        Assert.Equal(MachineTpmStates.Most + 1, Directory.GetFiles(Resting).Length);
    }

    [Fact]
    public void It_runs_as_a_user_of_its_own_without_rights_and_sees_nothing_of_the_host()
    {
        _keeper.Start(Machine, _key, null);
        string home = Path.Combine(_root, "machines", MachineLayout.NameOf(Machine));
        string process = $"/proc/{File.ReadAllText(Path.Combine(home, "tpm.pid")).Trim()}";
        Dictionary<string, string> status = File.ReadAllLines(process + "/status")
            .Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        string user = _host.Run(new ProgramCall("id", "-u", TpmSandbox.User)).Text.Trim();
        Assert.NotEqual("0", user);
        Assert.Equal(string.Join('\t', Enumerable.Repeat(user, 4)), status["Uid"]);
        Assert.Equal("", status["Groups"]);
        Assert.All(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], set => Assert.Equal(0, Number(status[set])));
        Assert.Equal(("1", "2"), (status["NoNewPrivs"], status["Seccomp"]));
        string[] seen = [.. new DirectoryInfo(process + "/root").GetFileSystemInfos().Select(one => one.Name).Order()];
        Assert.Equal(new[] { "bin", Path.GetFileName(home), "dev", "lib", "lib64", "tpm.pid", "usr" }.Order(), seen);
        foreach (string space in new[] { "mnt", "net" })
        {
            Assert.NotEqual(Link("/proc/self"), Link(process));

            string? Link(string of) => new FileInfo($"{of}/ns/{space}").LinkTarget;
        }

        ProgramCall socket = new("stat", "-c", "%A", Path.Combine(home, "tpm.sock"));
        Assert.Equal("srw-------", _host.Run(socket).Text.Trim());
    }

    [Theory]
    [InlineData("link")]
    [InlineData("pipe")]
    public void What_it_puts_in_the_place_of_its_state_leads_nobody_elsewhere(string what)
    {
        string secret = Path.Combine(_root, "secret");
        File.WriteAllText(secret, "of the host");
        _keeper.Start(Machine, _key, null);
        SoftwareTpm tpm = Tpm("machines");
        tpm.End();
        File.Delete(tpm.StatePath);
        if (what == "link")
        {
            File.CreateSymbolicLink(tpm.StatePath, secret);
        }
        else
        {
            _host.Run(new ProgramCall("mkfifo", tpm.StatePath));
        }

        Assert.Throws<WorldException>(() => _keeper.Close(Machine));
        Assert.False(Directory.Exists(Resting));
        Assert.Equal("root", _host.Run(new ProgramCall("stat", "-c", "%U", secret)).Text.Trim());

        // Without it the next start is from what rests.
        _keeper.Forget(Machine);
        Assert.Equal([null], _keeper.Offers(Machine, isHeld: true));
    }

    private static long Number(string hex) => Convert.ToInt64(hex, 16);

    /// <summary>A start, an end and a rest.</summary>
    private Digest32 Run(MachineTpmKeeper keeper, Digest32? state)
    {
        keeper.Start(Machine, _key, state);
        Digest32 closed = Assert.IsType<Digest32>(keeper.Close(Machine));
        keeper.Forget(Machine);
        return closed;
    }

    private SubjectKey ShownBy(MachineTpmKeeper keeper, string host, Digest32 state, out Digest32 next)
    {
        keeper.Start(Machine, _key, state);
        SoftwareTpm tpm = Tpm(host);
        tpm.End();
        tpm.RunForMaker(_key);
        SubjectKey shown;
        using (TpmConnection connection = TpmConnection.Open(tpm.MakerAddress))
        {
            var endorsement = EndorsementKey.OpenOrCreate(connection, EndorsementAlgorithm.Rsa2048);
            shown = endorsement.Public.Key ?? throw new InvalidOperationException();
            using VerifierKeyCache keys = new(4);
            var trust = EkTrust.Of([endorsement.ReadIssuer() ?? default], []);
            Assert.IsType<EkVerdict.Genuine>(EkVerifier.Verify(
                (endorsement.ReadCertificate() ?? default).Span,
                new EkExpectation(trust, DateTimeOffset.UtcNow, EkExpiry.Refuse, shown), keys));
        }

        next = Assert.IsType<Digest32>(keeper.Close(Machine));
        keeper.Forget(Machine);
        return shown;
    }

    private SoftwareTpm Tpm(string host) =>
        new(_host, new TpmSandbox(_host), Path.Combine(_root, host, MachineLayout.NameOf(Machine)));

    private MachineTpmKeeper Keeper(string host)
    {
        Directory.CreateDirectory(Pool);
        EcdsaSigner signer = new(_identity);
        MachineLayout layout = new(new MachinePaths(
            _root, Pool, Path.Combine(_root, host), "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated));
        return new MachineTpmKeeper(
            _host, layout, new MachineTpmStates(_host, Pool), new HostCertifier(Host, signer.PublicKey, signer));
    }

    private byte[] Bytes()
    {
        using SecretLoan loan = _key.Borrow();
        return loan.Bytes.ToArray();
    }

    /// <summary>Bits for each byte, 8 at most.</summary>
    private static double Entropy(byte[] content) => content.GroupBy(one => one)
        .Select(group => (double)group.Count() / content.Length).Sum(p => -p * Math.Log2(p));
}
