using System.Security.Cryptography;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Following;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Enrolling;

/// <summary>
/// A challenge is a token that is good once: by however many callers it is answered, and at whatever step between its
/// use and the commit the machine dies.
/// </summary>
public sealed class EnrolmentTokenTests
{
    private const string Store = "/state/keys";
    private const int Callers = 100;
    private const int MostCalls = 64;
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private readonly SoftwareTpm _tpm = new();
    private readonly string _host = ReleaseScene.HostName(1);
    private readonly PolicySnapshot _policy;

    public EnrolmentTokenTests() => _policy = new PolicySnapshot(
        ReleaseScene.Policies.With(
            "alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {_tpm.EndorsementId.Hex}}}\n")
            .Check().Datacentre,
        null, PrincipalRegister.Empty,
        new VerifiedPoint("log.example", ReleaseScene.Newest.Size, ReleaseScene.Newest.Root), []);

    [Fact]
    public async Task One_answer_by_a_hundred_callers_at_once_enrols_exactly_once()
    {
        for (int round = 0; round < 10; round++)
        {
            FakeDisk disk = new(round);
            using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, Store);
            using EnrolmentBook book = Open(directory);
            using EnrolmentDesk desk = Desk(book);
            byte[] secret = Challenge(desk);
            using ManualResetEventSlim start = new();
            Task<RouteAnswer<EnrolledBody>>[] answers =
            [
                .. Enumerable.Range(0, Callers).Select(_ => Task.Factory.StartNew(
                    () =>
                    {
                        start.Wait(TestContext.Current.CancellationToken);
                        return Answer(desk, secret);
                    },
                    TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)),
            ];
            start.Set();
            RouteAnswer<EnrolledBody>[] all = await Task.WhenAll(answers);
            Assert.Single(all.OfType<RouteAnswer<EnrolledBody>.Recorded>());
            Assert.All(all.OfType<RouteAnswer<EnrolledBody>.Refused>(), refused =>
                Assert.Equal("no-such-challenge", refused.Problem.Code));
            Assert.Equal(Callers - 1, all.OfType<RouteAnswer<EnrolledBody>.Refused>().Count());
            Assert.Equal(1, Records(disk));
        }
    }

    [Theory]
    [InlineData(DiskFault.Die)]
    [InlineData(DiskFault.InputOutput)]
    [InlineData(DiskFault.NoSpace)]
    public void A_crash_between_use_and_commit_leaves_the_token_used_and_one_enrolment_in_the_end(DiskFault fault)
    {
        int keptUnseen = 0, lost = 0;
        bool reachedEnd = false;
        for (int k = 1; k < MostCalls && !reachedEnd; k++)
        {
            for (int seed = 0; seed < 6; seed++)
            {
                FakeDisk disk = new(seed) { Fault = fault, ShortWrites = true };
                int successes = 0;
                byte[] secret = UntilTheFault(disk, k, ref successes, out reachedEnd);
                if (seed % 2 == 0)
                {
                    disk.KillProcess();
                }
                else
                {
                    disk.Restart();
                }

                disk.ShortWrites = false;
                using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, Store);
                using EnrolmentBook book = Open(directory);
                using EnrolmentDesk desk = Desk(book);
                bool committed = book.Find(_host) is not null;
                Assert.True(committed || successes == 0, "what was answered is durable");
                keptUnseen += committed && successes == 0 ? 1 : 0;
                lost += committed ? 0 : 1;

                // The token of before is nobody's, whether its enrolment was committed or not; a new one is good once.
                AssertUsed(Answer(desk, secret));
                byte[] next = Challenge(desk);
                Assert.IsType<RouteAnswer<EnrolledBody>.Recorded>(Answer(desk, next));
                AssertUsed(Answer(desk, next));
                Assert.Equal(_tpm.EndorsementId, book.Find(_host)?.EndorsementKey);
                Assert.Equal(committed ? 2 : 1, Records(disk));
            }
        }

        Assert.True(reachedEnd);
        Assert.NotEqual(0, lost);
        Assert.True(fault != DiskFault.Die || keptUnseen > 0, "no crash fell behind the commit");
    }

    /// <summary>Opens a desk, uses a token, and has the k-th changing call of that use go wrong.</summary>
    private byte[] UntilTheFault(FakeDisk disk, int k, ref int successes, out bool reachedEnd)
    {
        PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, Store);
        EnrolmentBook book = Open(directory);
        EnrolmentDesk desk = Desk(book);
        byte[] secret = Challenge(desk);
        int before = disk.Calls;
        disk.FaultAt = before + k;
        try
        {
            successes += Answer(desk, secret) is RouteAnswer<EnrolledBody>.Recorded ? 1 : 0;
        }
        catch (Exception death) when (death is MachineDiedException or DurableException)
        {
            Assert.Null(book.Find(_host));
        }

        reachedEnd = disk.Calls < before + k;
        if (disk.Fault != DiskFault.Die || reachedEnd)
        {
            // The same process: the token is used also when its commit failed.
            disk.FaultAt = 0;
            AssertUsed(Answer(desk, secret));
            desk.Dispose();
            book.Dispose();
            directory.Dispose();
        }

        return secret;
    }

    private static void AssertUsed(RouteAnswer<EnrolledBody> answer) => Assert.Equal(
        "no-such-challenge", Assert.IsType<RouteAnswer<EnrolledBody>.Refused>(answer).Problem.Code);

    /// <summary>How many enrolments the log holds, read anew.</summary>
    private static long Records(FakeDisk disk)
    {
        FakeDisk copy = new(0);
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(copy, Store);
        using (AppendLog.Open(directory, "enrolments.log"))
        {
        }

        copy.Damage($"{Store}/enrolments.log", _ => disk.Content($"{Store}/enrolments.log"));
        using AppendLog log = AppendLog.Open(directory, "enrolments.log");
        return log.Count;
    }

    private static EnrolmentBook Open(PrivateDirectory directory) =>
        EnrolmentBook.Open(directory, ReleaseScene.Bank, Service.PublicKey, Service);

    private EnrolmentDesk Desk(EnrolmentBook book) =>
        new(ReleaseScene.Bank, book, null, () => _policy, TimeProvider.System) { Forgotten = _ => { } };

    private byte[] Challenge(EnrolmentDesk desk)
    {
        EnrolmentChallengeBody challenge = Assert.IsType<RouteAnswer<EnrolmentChallengeBody>.Ok>(desk.Begin(
            Call(), new EnrolmentClaimBody(
                "", Convert.ToBase64String(_tpm.EndorsementKey.Write()),
                Convert.ToBase64String(_tpm.Quoting.Area.Write())))).Value;
        return _tpm.Activate(Convert.FromBase64String(challenge.Blob), Convert.FromBase64String(challenge.Secret))
            ?? throw new CryptographicException();
    }

    private static RouteAnswer<EnrolledBody> Answer(EnrolmentDesk desk, byte[] secret) =>
        desk.Complete(Call(), new EnrolmentAnswerBody(Convert.ToBase64String(secret)));

    private static RouteCall Call() => new(
        Principal.Of(
            PrincipalKind.Host, ReleaseScene.Host1.Id, PartyId.Unsigned("alpine"), StatementName.Parse("host-1")),
        new RouteValues(new Dictionary<string, string>()), new Dictionary<string, long>(), () => true,
        TestContext.Current.CancellationToken);
}
