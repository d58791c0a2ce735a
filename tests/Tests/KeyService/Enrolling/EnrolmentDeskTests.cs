using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Following;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.Endorsement;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Enrolling;

/// <summary>The desk as hosts meet it: a claim, a challenge, an answer; and every refusal with nothing kept.</summary>
public sealed class EnrolmentDeskTests : IDisposable
{
    private static readonly EcdsaSigner Host1 = ReleaseScene.Host1;
    private static readonly EcdsaSigner Host2 = ReleaseScene.Host2;
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private static readonly EkMaker Vendor = EkMaker.Root("CN=Vendor");
    private readonly string _path = Directory.CreateTempSubdirectory("bw-enrol-desk-").FullName;
    private readonly SoftwareTpm _tpm = new();
    private readonly SoftwareTpm _other = new();
    private readonly Clock _clock = new();
    private readonly PrivateDirectory _directory;
    private readonly EnrolmentBook _book;
    private readonly EnrolmentDesk _desk;
    private PolicySnapshot? _policy;

    public EnrolmentDeskTests()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        _book = EnrolmentBook.Open(_directory, ReleaseScene.Bank, Service.PublicKey, Service);
        _desk = new EnrolmentDesk(
            ReleaseScene.Bank, _book, SoftwareTpm.Believed(Vendor), () => _policy, _clock)
        {
            Forgotten = _ => { },
        };
        State(_tpm, _other);
    }

    public void Dispose()
    {
        _desk.Dispose();
        _book.Dispose();
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void Enrols_the_TPM_that_the_operator_states_and_signs_it()
    {
        var recorded = Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(
            Answer(Host1, Opened(_tpm, Challenge(Host1, _tpm))));
        EnrolledKey? key = EnrolmentDocument.Verify(
            Encoding.UTF8.GetBytes(recorded.Value.Enrolment.GetRawText()), ReleaseScene.Bank, Service.PublicKey, out _);
        Assert.Equal(ReleaseScene.HostName(1), key?.Host);
        Assert.Equal(EvidenceAssurance.SoftwareTpm, key?.Assurance);
        Assert.Equal(_tpm.EndorsementId, _book.Find(ReleaseScene.HostName(1))?.EndorsementKey);
    }

    [Fact]
    public void Tells_why_no_vendor_vouches_and_believes_one_that_does()
    {
        Assert.Single(Challenge(Host1, _tpm).Doubts);
        EnrolmentChallengeBody challenge = Challenge(Host1, _tpm, _tpm.CertificateOf(Vendor));
        Assert.Empty(challenge.Doubts);
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, Opened(_tpm, challenge)));
        Assert.Equal(EvidenceAssurance.Tpm, _book.Find(ReleaseScene.HostName(1))?.Assurance);
    }

    [Fact]
    public void Refuses_an_answer_the_second_time_and_without_a_challenge()
    {
        AssertRefused("no-such-challenge", Answer(Host1, new byte[32]));
        byte[] secret = Opened(_tpm, Challenge(Host1, _tpm));
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, secret));
        AssertRefused("no-such-challenge", Answer(Host1, secret));
    }

    [Fact]
    public void A_wrong_answer_ends_the_challenge_and_says_nothing_of_the_secret()
    {
        byte[] secret = Opened(_tpm, Challenge(Host1, _tpm));
        RouteProblem problem = AssertRefused("wrong-answer", Answer(Host1, [.. secret[..31], (byte)(secret[31] ^ 1)]));
        string text = problem.ToString() + string.Join(' ', problem.Refusals);
        Assert.DoesNotContain(Convert.ToBase64String(secret), text, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Convert.ToHexString(SHA256.HashData(secret)), text, StringComparison.OrdinalIgnoreCase);
        AssertRefused("no-such-challenge", Answer(Host1, secret));
        AssertNothingKept();
        foreach (string bad in (string[])["", "*", Convert.ToBase64String(new byte[33])])
        {
            Challenge(Host1, _tpm);
            AssertRefused("wrong-answer", _desk.Complete(Call(Host1), new EnrolmentAnswerBody(bad)));
        }

        AssertNothingKept();
    }

    [Fact]
    public void A_host_has_one_challenge_open_and_the_newest_counts()
    {
        byte[] first = Opened(_tpm, Challenge(Host1, _tpm));
        byte[] second = Opened(_tpm, Challenge(Host1, _tpm));
        Assert.NotEqual(first, second);
        AssertRefused("wrong-answer", Answer(Host1, first));
        AssertRefused("no-such-challenge", Answer(Host1, second));
        AssertNothingKept();
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, Opened(_tpm, Challenge(Host1, _tpm))));
    }

    [Fact]
    public void A_challenge_is_good_for_a_minute()
    {
        byte[] secret = Opened(_tpm, Challenge(Host1, _tpm));
        _clock.Pass(61);
        AssertRefused("no-such-challenge", Answer(Host1, secret));
        secret = Opened(_tpm, Challenge(Host1, _tpm));
        _clock.Pass(60);
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, secret));
    }

    [Fact]
    public void A_challenge_is_answered_by_the_caller_that_got_it_and_by_no_other()
    {
        byte[] secret = Opened(_tpm, Challenge(Host1, _tpm));
        AssertRefused("no-such-challenge", Answer(Host2, secret));
        byte[] another = Opened(_other, Challenge(Host2, _other));
        AssertRefused("wrong-answer", Answer(Host2, secret));
        AssertRefused("no-such-challenge", Answer(Host2, another));
        Assert.Null(_book.Find(ReleaseScene.HostName(2)));
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, secret));
    }

    [Fact]
    public void The_TPM_of_one_does_not_answer_for_the_key_of_another()
    {
        EnrolmentClaimBody mixed = Body(_tpm) with
        {
            AttestationKey = Convert.ToBase64String(_other.Quoting.Area.Write()),
        };
        var given = Assert.IsType<RouteAnswer<EnrolmentChallengeBody>.Ok>(_desk.Begin(Call(Host1), mixed)).Value;
        foreach (SoftwareTpm tpm in (SoftwareTpm[])[_tpm, _other])
        {
            Assert.Null(tpm.Activate(
                Convert.FromBase64String(given.Blob), Convert.FromBase64String(given.Secret)));
        }
    }

    [Fact]
    public void Refuses_another_TPM_for_a_known_host()
    {
        AssertRefused("other-tpm", _desk.Begin(Call(Host1), Body(_other)));
        AssertRefused("other-tpm", _desk.Begin(Call(Host2), Body(_tpm)));
        Assert.NotEmpty(Opened(_tpm, Challenge(Host1, _tpm)));
    }

    [Fact]
    public void A_host_that_is_enrolled_keeps_its_TPM_even_when_the_operator_states_another()
    {
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, Opened(_tpm, Challenge(Host1, _tpm))));
        State(_other, _tpm);
        AssertRefused("host-taken", Answer(Host1, Opened(_other, Challenge(Host1, _other))));
        Assert.Equal(_tpm.EndorsementId, _book.Find(ReleaseScene.HostName(1))?.EndorsementKey);
        State(_tpm, _other);
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, Opened(_tpm, Challenge(Host1, _tpm))));
    }

    [Fact]
    public void Refuses_a_caller_that_is_no_host_a_host_without_a_TPM_and_a_claim_that_is_none()
    {
        AssertRefused("unknown-host", _desk.Begin(Call(ReleaseScene.Stranger), Body(_tpm)));
        AssertRefused("bad-claim", _desk.Begin(Call(Host1), Body(_tpm) with { Certificate = "*" }));
        AssertRefused("bad-claim", _desk.Begin(Call(Host1), Body(_tpm) with { EndorsementKey = "" }));
        AssertRefused("bad-claim", _desk.Begin(Call(Host1), Body(_tpm) with { AttestationKey = "AAAA" }));
        AssertRefused("not-an-attestation-key", _desk.Begin(
            Call(Host1), Body(_tpm) with { AttestationKey = Body(_tpm).EndorsementKey }));
        State(null, _other);
        AssertRefused("no-tpm-stated", _desk.Begin(Call(Host1), Body(_tpm)));
        _policy = null;
        AssertRefused("not-ready", _desk.Begin(Call(Host1), Body(_tpm)));
        AssertNothingKept();
    }

    [Fact]
    public void Shows_the_tenant_which_hosts_are_enrolled_and_why_one_is_not()
    {
        Assert.All(List(), one => Assert.Equal((null, null), (one.EnrolledTpm, one.LastRefusal)));
        Assert.Equal(
            Enumerable.Range(1, 3).Select(ReleaseScene.HostName), List().Select(one => one.Host));
        AssertRefused("other-tpm", _desk.Begin(Call(Host2), Body(_tpm)));
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host1, Opened(_tpm, Challenge(Host1, _tpm))));
        EnrolmentStanding first = List()[0], second = List()[1];
        Assert.Equal((_tpm.EndorsementId.Hex, _tpm.EndorsementId.Hex), (first.StatedTpm, first.EnrolledTpm));
        Assert.Equal(_tpm.Quoting.Area.Name.Hex, first.AttestationKey);
        Assert.Null(first.LastRefusal);
        Assert.Null(second.EnrolledTpm);
        Assert.Equal(("other-tpm", EkMaker.Now), (second.LastRefusal?.Code, second.LastRefusal?.At));
        Assert.NotEqual("", second.LastRefusal?.Detail);

        // What is mended is no longer shown.
        Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(Host2, Opened(_other, Challenge(Host2, _other))));
        Assert.Null(List()[1].LastRefusal);
        _policy = null;
        Assert.Equal("not-ready", Assert.IsType<RouteAnswer<EnrolmentList>.Refused>(_desk.List()).Problem.Code);
    }

    private ImmutableArray<EnrolmentStanding> List() =>
        Assert.IsType<RouteAnswer<EnrolmentList>.Ok>(_desk.List()).Value.Hosts;

    private void State(SoftwareTpm? first, SoftwareTpm second)
    {
        Example policies = ReleaseScene.Policies.With(
            "alpine/hosts.yaml", "name: host-2\n", $"name: host-2\ntpm: {{ek: {second.EndorsementId.Hex}}}\n");
        if (first is not null)
        {
            policies = policies.With(
                "alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {first.EndorsementId.Hex}}}\n");
        }

        _policy = new PolicySnapshot(
            policies.Check().Datacentre, null, PrincipalRegister.Empty,
            new VerifiedPoint("log.example", ReleaseScene.Newest.Size, ReleaseScene.Newest.Root), []);
    }

    private void AssertNothingKept()
    {
        Assert.Null(_book.Find(ReleaseScene.HostName(1)));
        Assert.Null(_book.Find(ReleaseScene.HostName(2)));
    }

    private EnrolmentChallengeBody Challenge(EcdsaSigner host, SoftwareTpm tpm, byte[]? certificate = null) =>
        Assert.IsType<RouteAnswer<EnrolmentChallengeBody>.Ok>(_desk.Begin(Call(host), Body(tpm, certificate))).Value;

    private RouteAnswer<EnrolledBody> Answer(EcdsaSigner host, byte[] secret) =>
        _desk.Complete(Call(host), new EnrolmentAnswerBody(Convert.ToBase64String(secret)));

    private static byte[] Opened(SoftwareTpm tpm, EnrolmentChallengeBody challenge) => tpm.Activate(
        Convert.FromBase64String(challenge.Blob), Convert.FromBase64String(challenge.Secret))
            ?? throw new InvalidOperationException();

    private static EnrolmentClaimBody Body(SoftwareTpm tpm, byte[]? certificate = null) => new(
        Convert.ToBase64String(certificate ?? []), Convert.ToBase64String(tpm.EndorsementKey.Write()),
        Convert.ToBase64String(tpm.Quoting.Area.Write()));

    private static RouteProblem AssertRefused<T>(string code, RouteAnswer<T> answer)
        where T : class
    {
        RouteProblem problem = Assert.IsType<RouteAnswer<T>.Refused>(answer).Problem;
        Assert.Equal(code, problem.Code);
        Assert.All(problem.Refusals, refusal => Assert.Equal(code, refusal.Code));
        return problem;
    }

    private static RouteCall Call(EcdsaSigner host) => new(
        Principal.Of(
            PrincipalKind.Host, host.Id, PartyId.Unsigned("alpine"),
            StatementName.Parse(host == Host1 ? "host-1" : "host-2")),
        new RouteValues(new Dictionary<string, string>()), new Dictionary<string, long>(), () => true,
        TestContext.Current.CancellationToken);

    /// <summary>A clock that passes time when it is told to.</summary>
    private sealed class Clock : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds;

        public override DateTimeOffset GetUtcNow() => EkMaker.Now.AddSeconds(_seconds);

        internal void Pass(long seconds) => _seconds += seconds;
    }
}
