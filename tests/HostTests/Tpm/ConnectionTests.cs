using System.Diagnostics;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;

namespace Bailiwick.HostTests.Tpm;

/// <summary>Against a real software TPM: nothing leaks, nothing hangs, faults are told apart.</summary>
public sealed class ConnectionTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Leaves_nothing_loaded_after_200_openings()
    {
        var rubbish = new TpmCredential(new byte[60], new byte[256]);
        for (var i = 0; i < 200; i++)
        {
            using var open = tpm.Open();
            var endorsement = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
            var key = AttestationKey.OpenOrCreate(open);
            Assert.NotEmpty(key.Quote(PcrSelection.Of(TpmHash.Sha256, 0), [1]).Message.ToArray());
            Assert.Throws<TpmException>(() => key.Activate(endorsement, rubbish, static secret => secret.Length));
        }

        foreach (var kind in new[] { "transient", "loaded-session", "saved-session" })
        {
            Assert.Equal("", (await tpm.Tool("tpm2_getcap", $"handles-{kind}")).Trim());
        }
    }

    [Fact]
    public async Task Leaves_nothing_loaded_by_failures_within_one_connection()
    {
        using (var open = tpm.Open())
        {
            var endorsement = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
            var parent = StorageKey.OpenOrCreate(open);
            var key = AttestationKey.FromBlobs(parent, AttestationKey.Create(parent));
            for (var i = 0; i < 20; i++)
            {
                Assert.Throws<TpmException>(() => key.Activate(
                    endorsement, new TpmCredential(new byte[60], new byte[256]), static secret => secret.Length));
                Assert.Throws<TpmException>(() => key.Quote(PrivateSwtpm.AllPcrs, new byte[65]));
            }

            Assert.NotEmpty(key.Quote(PrivateSwtpm.AllPcrs, new byte[64]).Message.ToArray());
        }

        Assert.Equal("", (await tpm.Tool("tpm2_getcap", "handles-transient")).Trim());
        Assert.Equal("", (await tpm.Tool("tpm2_getcap", "handles-loaded-session")).Trim());
    }

    [Fact]
    public async Task Sweeps_what_a_dead_predecessor_left_in_every_slot()
    {
        for (var i = 0; i < 3; i++)
        {
            await tpm.Tool("tpm2_createprimary", "-C", "o", "-c", tpm.PathOf($"left-{i}.ctx"));
        }

        await tpm.Tool("tpm2_startauthsession", "-S", tpm.PathOf("left.session"));
        Assert.Equal(3, (await tpm.Tool("tpm2_getcap", "handles-transient")).Trim().Split('\n').Length);
        using (var open = tpm.Open())
        {
            var parent = StorageKey.OpenOrCreate(open);
            AttestationKey.FromBlobs(parent, AttestationKey.Create(parent));
        }

        Assert.Equal("", (await tpm.Tool("tpm2_getcap", "handles-transient")).Trim());
        Assert.Equal("", (await tpm.Tool("tpm2_getcap", "handles-saved-session")).Trim());
    }

    [Fact]
    public async Task Threads_share_one_connection()
    {
        using var open = tpm.Open();
        var key = AttestationKey.OpenOrCreate(open);
        var registers = new PcrRegisters(open);
        var quotes = await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            var seen = 0;
            for (byte i = 0; i < 25; i++)
            {
                byte[] nonce = [(byte)thread, i, 7, 7, 7, 7, 7, 7];
                var quote = key.Quote(PrivateSwtpm.AllPcrs, nonce);
                seen += quote.Message.Span.IndexOf(nonce) > 0 ? 1 : 0;
                Assert.Equal(24, registers.Read(PrivateSwtpm.AllPcrs).Values.Count);
            }

            return seen;
        })));
        Assert.All(quotes, seen => Assert.Equal(25, seen));
    }

    [Fact]
    public void Gives_random_bytes_and_a_clock()
    {
        using var open = tpm.Open();
        byte[] one = new byte[100], two = new byte[100];
        open.FillRandom(one);
        open.FillRandom(two);
        Assert.NotEqual(one, two);
        Assert.Contains(one[64..], b => b != 0);
        var before = open.ReadClock();
        open.Dispose();
        tpm.PowerCycle();
        using var again = tpm.Open();
        Assert.NotEqual(before.ResetCount, again.ReadClock().ResetCount);
        Assert.Throws<ObjectDisposedException>(() => open.ReadClock());
    }

    [Fact]
    public void A_killed_TPM_is_lost_and_stays_lost_for_that_connection()
    {
        using (var open = tpm.Open())
        {
            var key = AttestationKey.OpenOrCreate(open);
            tpm.Kill();
            var fault = Assert.Throws<TpmException>(() => key.Quote(PrivateSwtpm.AllPcrs, []));
            Assert.Equal(AccessFault.Lost, fault.Fault);
            Assert.Contains("open a new connection", fault.NextStep, StringComparison.Ordinal);
            Assert.Contains(tpm.Socket, fault.Place, StringComparison.Ordinal);
            Assert.Equal(AccessFault.Absent, Assert.Throws<TpmException>(() => tpm.Open()).Fault);
            tpm.PowerOn();
            Assert.Equal(AccessFault.Lost, Assert.Throws<TpmException>(() => open.ReadClock()).Fault);
        }

        using var again = tpm.Open();
        Assert.NotEmpty(AttestationKey.OpenOrCreate(again)
            .Quote(PrivateSwtpm.AllPcrs, []).Message.ToArray());
    }

    [Fact]
    public async Task A_TPM_that_does_not_answer_is_silent_after_the_limit()
    {
        using (var open = tpm.Open(Short))
        {
            await tpm.Signal("STOP");
            try
            {
                var watch = Stopwatch.StartNew();
                var fault = Assert.Throws<TpmException>(() => open.ReadClock());
                Assert.Equal(AccessFault.Silent, fault.Fault);
                Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 20);
            }
            finally
            {
                await tpm.Signal("CONT");
            }

            // The late answer is nobody's.
            Assert.Equal(AccessFault.Silent, Assert.Throws<TpmException>(() => open.ReadClock()).Fault);
        }

        using var again = tpm.Open();
        Assert.True(again.ReadClock().Clock > 0);
    }

    [Fact]
    public void A_software_TPM_serves_one_at_a_time()
    {
        using (tpm.Open())
        {
            var watch = Stopwatch.StartNew();
            Assert.Equal(AccessFault.Silent, Assert.Throws<TpmException>(() => tpm.Open(Short)).Fault);
            Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 20);
        }

        using var after = tpm.Open();
        Assert.True(after.ReadClock().Clock > 0);
    }

    [Fact]
    public void Tells_what_is_absent_and_what_is_no_TPM()
    {
        var missing = TpmAddress.Parse("device:/dev/tpmrm99");
        Assert.Equal(AccessFault.Absent, Assert.Throws<TpmException>(() => TpmConnection.Open(missing)).Fault);
        var nobody = TpmAddress.Parse($"swtpm:{tpm.PathOf("nobody.sock")}");
        Assert.Equal(AccessFault.Absent, Assert.Throws<TpmException>(() => TpmConnection.Open(nobody)).Fault);

        // /dev/null takes every command and answers nothing.
        var empty = Assert.Throws<TpmException>(() => TpmConnection.Open(TpmAddress.Parse("device:/dev/null"), Short));
        Assert.Equal(AccessFault.Lost, empty.Fault);

        // /dev/zero answers what is no response.
        var zero = Assert.Throws<TpmException>(() => TpmConnection.Open(TpmAddress.Parse("device:/dev/zero"), Short));
        Assert.Equal(AccessFault.Lost, zero.Fault);
    }

    [Theory]
    [InlineData("/dev/tpm0")]
    [InlineData("device:dev/tpm0")]
    [InlineData("swtpm:t.sock")]
    [InlineData("tcp:localhost:2321")]
    [InlineData("")]
    public void Refuses_an_address_that_is_none(string text) =>
        Assert.Throws<FormatException>(() => TpmAddress.Parse(text));

    [Fact]
    public void Refuses_a_path_that_no_socket_can_have()
    {
        Assert.Equal(107, TpmAddress.Swtpm("/" + new string('s', 106)).Path.Length);
        Assert.Throws<FormatException>(() => TpmAddress.Swtpm("/" + new string('s', 107)));
    }
}
