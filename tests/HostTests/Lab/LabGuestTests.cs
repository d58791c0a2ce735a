using System.Diagnostics;
using System.Net;
using System.Text;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Lab;

[Collection(LabCollection.Name)]
public sealed class LabGuestTests(LabFixture fixture, ITestOutputHelper output)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Two_guests_on_a_bridge_meet_and_a_third_on_another_sees_nothing()
    {
        var host = fixture.Lab.Hosts[0];
        await LabFixture.Bridge(host, "red");
        await LabFixture.Bridge(host, "blue");
        var web = fixture.Guest("bank/web/web-1", 1);
        var ledger = fixture.Guest("bank/ledger/ledger-1", 2);
        var ward = fixture.Guest("hospital/ward/ward-1", 3);
        var clock = Stopwatch.StartNew();
        await using var webProbe = await LabFixture.Start(host, web, "red");
        output.WriteLine($"first guest answers after {clock.Elapsed.TotalSeconds:0.0} s");
        var others = await Task.WhenAll(
            LabFixture.Start(host, ledger, "red"), LabFixture.Start(host, ward, "blue"));
        await using var ledgerProbe = others[0];
        await using var wardProbe = others[1];
        Assert.Equal(web.Mac, Assert.Single(webProbe.Hello.Nics).Mac);

        await ledgerProbe.ListenTcp(5432);
        await ledgerProbe.ListenUdp(53);
        await wardProbe.ListenTcp(5432);
        await ledgerProbe.Forget();
        await wardProbe.Forget();
        clock.Restart();
        var met = await webProbe.Sweep(Questions(ledger, "t-red"), Second, 3);
        var strange = await webProbe.Sweep(Questions(ward, "t-blue"), Second);
        output.WriteLine($"two sweeps take {clock.Elapsed.TotalSeconds:0.0} s");

        Assert.All(met.Take(6), answer => Assert.Equal(ProbeOutcome.Answered, answer.Why));
        Assert.All(met.Take(2), answer => Assert.Equal(ledger.Machine, answer.Identity));
        Assert.Equal(ledger.Mac, met[4].Mac);
        Assert.Equal(ledger.Mac, met[5].Mac);
        Assert.Equal(ProbeOutcome.Refused, met[6].Why);
        Assert.All(strange, answer => Assert.False(answer.Open));

        await webProbe.Shout("shout");
        var frame = Frame(web.Mac, "raw");
        Assert.Equal(3, await webProbe.SendRaw("nic0", frame, 3));
        await Task.Delay(500, TestContext.Current.CancellationToken);
        var reached = await ledgerProbe.Seen();
        var apart = await wardProbe.Seen();
        Assert.Equal(0, reached.Lost);
        Assert.True(reached.CountOf("t-red") >= 5, $"{reached.CountOf("t-red")} canaries");
        Assert.Equal(5, reached.CountOf("shout"));
        Assert.Equal(3, reached.CountOf("raw"));
        Assert.Contains(reached.Senders, sender => sender.Mac == web.Mac);
        Assert.Equal(0, apart.Lost);
        Assert.Empty(apart.Tokens);
        Assert.DoesNotContain(apart.Senders, sender => sender.Mac == web.Mac);
        foreach (var guest in new[] { web, ledger, ward })
        {
            Assert.Equal(0, (await host.Virsh("destroy", guest.Name)).ExitCode);
        }
    }

    [Fact]
    public async Task Seven_guests_measure_every_ordered_pair_within_40_seconds()
    {
        var host = fixture.Lab.Hosts[1];
        await LabFixture.Bridge(host, "row");
        var guests = Enumerable.Range(1, 7).Select(i => fixture.Guest($"bank/row/row-{i}", i)).ToList();
        var clock = Stopwatch.StartNew();
        var probes = await Task.WhenAll(guests.Select(guest => LabFixture.Start(host, guest, "row")));
        output.WriteLine($"seven guests answer after {clock.Elapsed.TotalSeconds:0.0} s");
        await Task.WhenAll(probes.SelectMany(probe => new[] { probe.ListenTcp(5432), probe.ListenUdp(53) }));
        clock.Restart();
        var rows = await Task.WhenAll(probes.Select((probe, from) => probe.Sweep(
            [.. guests.Where((_, to) => to != from).SelectMany(to => Questions(to, $"from-{from}"))], Second, 3)));
        var took = clock.Elapsed;
        output.WriteLine($"a matrix of 42 pairs, 7 questions each, takes {took.TotalSeconds:0.0} s");
        foreach (var (row, from) in rows.Select((row, from) => (row, from)))
        {
            var identities = guests.Where((_, to) => to != from).Select(to => to.Machine);
            Assert.Equal(identities, row.Chunk(7).Select(pair => pair[0].Identity));
            Assert.All(row.Chunk(7), pair => Assert.Equal(6, pair.Count(one => one.Why == ProbeOutcome.Answered)));
            Assert.All(row.Chunk(7), pair => Assert.Equal(ProbeOutcome.Refused, pair[6].Why));
        }

        Assert.True(took < TimeSpan.FromSeconds(40), $"{took}");
        foreach (var (probe, guest) in probes.Zip(guests))
        {
            await probe.DisposeAsync();
            Assert.Equal(0, (await host.Virsh("destroy", guest.Name)).ExitCode);
        }
    }

    [Fact]
    public async Task A_volume_keeps_its_boot_count_and_tells_whose_it_was()
    {
        var host = fixture.Lab.Hosts[1];
        await LabFixture.Bridge(host, "lan");
        var disk = Path.Combine(host.Directory, "disk.raw");
        await using (var file = File.Create(disk))
        {
            file.SetLength(4 << 20);
        }

        List<(int Boot, string Found)> starts = [];
        foreach (var machine in new[] { "bank/web/web-9", "bank/web/web-9", "hospital/ward/ward-9" })
        {
            var guest = fixture.Guest(machine, 9);
            await using var probe = await LabFixture.Start(host, guest, "lan", disk);
            starts.Add((probe.Hello.Boot, probe.Hello.Found));
            Assert.Equal(0, (await host.Virsh("destroy", guest.Name)).ExitCode);
        }

        Assert.Equal([(1, "-"), (2, "bank/web/web-9"), (3, "bank/web/web-9")], starts);
        var head = new byte[64];
        await using var volume = File.OpenRead(disk);
        await volume.ReadExactlyAsync(head, TestContext.Current.CancellationToken);
        Assert.StartsWith("CANARY hospital/ward/ward-9 ", Encoding.ASCII.GetString(head), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_known_of_a_guest_that_does_not_answer_is_told()
    {
        var host = fixture.Lab.Hosts[1];
        await LabFixture.Bridge(host, "mute");
        var guest = fixture.Guest("bank/web/web-8", 8);
        await using var watch = await GuestWatch.Begin(
            host, guest.Name, guest.ProbeSocket, TestContext.Current.CancellationToken);
        await using (var probe = await LabFixture.Start(host, guest, "mute"))
        {
            Assert.Equal(guest.Machine, probe.Hello.Machine);
        }

        var said = await watch.Tell(TestContext.Current.CancellationToken);
        output.WriteLine(said);
        Assert.Contains("its QEMU: running", said, StringComparison.Ordinal);
        Assert.Contains("its disks: No errors found", said, StringComparison.Ordinal);
        Assert.Matches("its port [a-z0-9]+: dead", said);
        Assert.Matches("its processor: at [0-9a-f]+, in (the kernel|a program)", said);
        Assert.Contains($"READY {guest.Machine} boot=", said, StringComparison.Ordinal);

        Assert.Equal(0, (await host.Virsh("suspend", guest.Name)).ExitCode);
        said = await watch.Tell(TestContext.Current.CancellationToken);
        Assert.Contains("its QEMU: paused", said, StringComparison.Ordinal);
        Assert.Equal(0, (await host.Virsh("destroy", guest.Name)).ExitCode);
    }

    [Fact]
    public async Task The_guest_is_built_from_the_same_bytes_each_time()
    {
        var first = fixture.Image;
        File.Delete(first.InitramfsPath);
        Assert.Equal(first, await GuestImage.Build(LabFixture.Cache, null, TestContext.Current.CancellationToken));
        output.WriteLine($"guests run by {fixture.Acceleration}");
    }

    private static List<ProbeQuestion> Questions(LabGuestXml to, string token)
    {
        var four = IPAddress.Parse(to.Address4);
        var six = IPAddress.Parse(to.Address6);
        return
        [
            new(ProbeKind.Tcp, four, 5432, token), new(ProbeKind.Udp, four, 53, token),
            new(ProbeKind.Ping, four, 0, token), new(ProbeKind.Ping, six, 0, token),
            new(ProbeKind.Arp, four, 0, token), new(ProbeKind.Neighbour, six, 0, token),
            new(ProbeKind.Tcp, six, 99, token),
        ];
    }

    private static byte[] Frame(string mac, string token) =>
    [
        255, 255, 255, 255, 255, 255, .. Convert.FromHexString(mac.Replace(":", "", StringComparison.Ordinal)),
        0x88, 0xb5, .. Encoding.ASCII.GetBytes($"BWCANARY:{token}\n"), .. new byte[32],
    ];
}
