using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Contexts;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

[Collection(WholeCollection.Name)]
public sealed partial class CommandLineTests(WholeLab lab, ITestOutputHelper output)
{
    private static readonly TimeSpan TypingPause = TimeSpan.FromSeconds(3);

    private CommandLine Cli => new(lab.Paths);

    [Fact]
    public async Task A_machine_stopped_and_started_by_its_owner_finds_its_volume()
    {
        await lab.Ready();
        int boot;
        await using (ProbeChannel before = await lab.Meet(SmallPolicies.Web))
        {
            boot = before.Hello.Boot;
        }

        await Cli.Json("bank", "machine", "stop", SmallPolicies.Web);
        await lab.Stopped(SmallPolicies.Web);
        await WholeLab.Until(
            async () => await State("bank", SmallPolicies.Web) == "stopped" ? null : "not yet", "status says stopped");
        Assert.NotEqual(0, (await Cli.Run("hospital", "machine", "start", SmallPolicies.Web)).ExitCode);
        await Cli.Json("bank", "machine", "start", SmallPolicies.Web);
        await using (ProbeChannel after = await lab.Meet(SmallPolicies.Web))
        {
            Assert.Equal((SmallPolicies.Web, boot + 1), (after.Hello.Found, after.Hello.Boot));
        }

        await WholeLab.Until(
            async () => await State("bank", SmallPolicies.Web) == "running" ? null : "not yet", "status says running");
    }

    [Fact]
    public async Task A_volume_is_taken_over_by_its_owners_approval_from_the_host_that_was_named()
    {
        await lab.Ready();
        string host = (await lab.Where(SmallPolicies.Records)).Name;
        string other = lab.Hosts.Single(h => h.Name != host).Name;
        string keys = Path.Combine(lab.Paths.Keys, "hospital");
        int boot;
        await using (ProbeChannel before = await lab.Meet(SmallPolicies.Records))
        {
            boot = before.Hello.Boot;
        }

        Assert.EndsWith("/" + host, await Holder(), StringComparison.Ordinal);
        LabProgramResult wrong = await TakeOver(other);
        Assert.Equal((2, ""), (wrong.ExitCode, wrong.Output));
        Assert.Contains($"{host} to write, not by {other}", wrong.Error, StringComparison.Ordinal);
        Assert.EndsWith("/" + host, await Holder(), StringComparison.Ordinal);

        LabProgramResult right = await TakeOver(host);
        Assert.True(right.ExitCode == 0, right.Error);
        Assert.Null(await Holder());

        // What was taken is not the host's to give back, and no later start is the worse for it.
        await lab.SetPower(SmallPolicies.Records, false);
        await lab.Stopped(SmallPolicies.Records);
        await lab.SetPower(SmallPolicies.Records, true);
        await using (ProbeChannel after = await lab.Meet(SmallPolicies.Records))
        {
            Assert.Equal((SmallPolicies.Records, boot + 1), (after.Hello.Found, after.Hello.Boot));
        }

        Assert.NotNull(await Holder());
        await lab.Settled();

        Task<LabProgramResult> TakeOver(string from) => Cli.Run(
            "hospital", "volume", "takeover", "records-1-data", "--from", from, "--keys", keys);

        async Task<string?> Holder() => (await Cli.Json("hospital", "volume", "list")).EnumerateArray()
            .Single(v => v.GetProperty("volume").GetString() == lab.Reference("hospital/records-1-data"))
            .GetProperty("holders").EnumerateArray().SingleOrDefault() is { ValueKind: JsonValueKind.Object } one
                ? one.GetProperty("host").GetString() : null;
    }

    [Fact]
    public async Task A_TPM_is_forgotten_by_its_owners_approval_and_enrols_again()
    {
        await lab.Ready();
        string host = (await lab.Where(SmallPolicies.Records)).Name;
        string tpm = (await Enrolled()).Tpm ?? throw new InvalidOperationException("no TPM is enrolled");
        long since = (await Enrolled()).Since;
        LabProgramResult wrong = await Forget(new string('0', 16), "hospital", "hospital");
        Assert.Equal((2, ""), (wrong.ExitCode, wrong.Output));
        Assert.Contains("look again", wrong.Error, StringComparison.Ordinal);

        // Neither the operator nor another tenant has anything to say in it.
        Assert.NotEqual(0, (await Forget(tpm, WholeLab.Operator, WholeLab.Operator)).ExitCode);
        Assert.NotEqual(0, (await Forget(tpm, "hospital", "bank")).ExitCode);
        Assert.Equal((tpm, since), await Enrolled());

        LabProgramResult right = await Forget(tpm, "hospital", "hospital");
        Assert.True(right.ExitCode == 0, right.Error);
        await WholeLab.Until(
            async () => await Enrolled() is var (now, later) && now == tpm && later > since ? null : "not yet",
            "the host has enrolled anew");
        await lab.Settled();

        Task<LabProgramResult> Forget(string which, string party, string keysOf) => Cli.Run(
            party, "host", "forget", host, "--tpm", which, "--keys", Path.Combine(lab.Paths.Keys, keysOf));

        async Task<(string? Tpm, long Since)> Enrolled()
        {
            JsonElement one = (await Cli.Json("hospital", "host", "enrol")).GetProperty("hosts").EnumerateArray()
                .Single(h => h.GetProperty("host").GetString()?.EndsWith("/" + host, StringComparison.Ordinal) == true);
            return one.GetProperty("enrolledTpm").GetString() is { } tpm
                ? (tpm, one.GetProperty("since").GetInt64())
                : (null, -1);
        }
    }

    [Fact]
    public async Task Status_get_and_host_list_show_each_party_its_own()
    {
        await lab.Ready();
        foreach (string party in new[] { "bank", "hospital", WholeLab.Operator })
        {
            string[] machines = [.. (await Cli.Json(party, "status")).GetProperty("compartments").EnumerateArray()
                .Select(c => c.GetProperty("compartment").GetString() ?? "")];
            string[] expected = [.. SmallPolicies.Machines
                .Where(m => party == WholeLab.Operator || m.StartsWith(party + "/", StringComparison.Ordinal))
                .Select(lab.Reference)];
            Assert.Equal(expected.Order(StringComparer.Ordinal), machines.Order(StringComparer.Ordinal));
            Assert.Equal(2, (await Cli.Json(party, "host", "list")).GetArrayLength());
            LabProgramResult plain = await Cli.Run(party, "status");
            Assert.Equal((0, ""), (plain.ExitCode, plain.Error));
        }

        string[] shown = [.. (await Cli.Json("bank", "get", "Domain")).EnumerateArray()
            .Select(d => d.GetProperty("display").GetString() ?? "")];
        Assert.Equal(["bank/ledger", "bank/web"], shown.Order(StringComparer.Ordinal));
        Assert.NotEqual(0, (await Cli.Run("bank", "get", "Domain", "hospital/records")).ExitCode);
    }

    [Fact]
    public async Task A_saved_checkpoint_is_compared_with_the_log_and_another_is_refused()
    {
        await lab.Ready();
        string saved = Path.Combine(lab.Paths.Root, $"checkpoint-{Guid.NewGuid():N}");
        LabProgramResult first = await Cli.Run("bank", "ledger", "verify", "--save", saved);
        Assert.True(first.ExitCode == 0, first.Error);
        await lab.SetFlow(open: false);
        await lab.SetFlow(open: true);
        LabProgramResult grown = await Cli.Run("bank", "ledger", "verify", "--compare", saved);
        Assert.True(grown.ExitCode == 0, grown.Error);
        string[] note = await File.ReadAllLinesAsync(saved, TestContext.Current.CancellationToken);
        note[1] = "99999";
        await File.WriteAllLinesAsync(saved, note, TestContext.Current.CancellationToken);
        Assert.Equal(1, (await Cli.Run("bank", "ledger", "verify", "--compare", saved)).ExitCode);
    }

    [Fact]
    public async Task Watch_prints_a_json_line_for_each_event()
    {
        await lab.Ready();
        using RunningCommand watch = Cli.Start("bank", "watch", "--json");
        await WholeLab.Until(
            () => Task.FromResult(watch.Said.Split('\n').Length > 6 ? null : watch.Said), "watch prints lines");
        string[] lines = [.. watch.Said.Split('\n')[..^1]];
        string[] types = [.. lines.Select(l => JsonElement.Parse(l).GetProperty("type").GetString() ?? "")];
        output.WriteLine(string.Join(' ', types));
        Assert.Contains("entry", types);
        Assert.Null(watch.ExitCode);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_drained_host_loses_what_may_move_and_keeps_what_may_not()
    {
        await lab.Ready();
        WholeHost from = await lab.Where(SmallPolicies.Records);
        WholeHost to = lab.Hosts.Single(h => h.Name != from.Name);
        string bound = from.Name == "host-1" ? SmallPolicies.Web : SmallPolicies.Ledger;
        int process = lab.Processes()[lab.MachineName(bound)];
        int boot;
        await using (ProbeChannel before = await lab.Meet(SmallPolicies.Records))
        {
            boot = before.Hello.Boot;
        }

        long left = await from.Mark(), came = await to.Mark();
        try
        {
            Assert.NotEqual(0, (await Cli.Run("bank", "host", "drain", from.Name)).ExitCode);
            await Cli.Json(WholeLab.Operator, "host", "drain", from.Name);
            await WholeLab.Until(
                async () => (await lab.Where(SmallPolicies.Records)).Name == to.Name ? null : "not yet", "it is moved");
            await using (ProbeChannel after = await lab.Meet(SmallPolicies.Records))
            {
                Assert.Equal((SmallPolicies.Records, boot + 1), (after.Hello.Found, after.Hello.Boot));
            }

            Assert.Contains(await from.Log(left), h => h.Kind == IntegrityKind.VolumeReturned);
            Assert.Contains(await to.Log(came), h => h.Kind == IntegrityKind.VolumeOpened);
            Assert.Equal(process, lab.Processes()[lab.MachineName(bound)]);
            string reference = lab.Reference(bound);
            string reason = (await lab.Status()).Compartments.Single(c => c.Compartment == reference).Reason;
            output.WriteLine(reason);
            Assert.Contains("drained", reason, StringComparison.Ordinal);
        }
        finally
        {
            await Cli.Json(WholeLab.Operator, "host", "drain", from.Name, "--undo");
        }

        await lab.Settled();
        Assert.Equal(process, lab.Processes()[lab.MachineName(bound)]);
    }

    [Fact]
    public async Task A_console_opens_for_its_owner_and_for_nobody_else()
    {
        await lab.Ready();
        WholeHost host = lab.Host("host-1");
        long mark = await host.Mark();
        foreach (string stranger in new[] { "hospital", WholeLab.Operator })
        {
            LabProgramResult refused = await Cli.Run(stranger, "machine", "console", SmallPolicies.Web);
            Assert.NotEqual(0, refused.ExitCode);
            foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Post })
            {
                using BoardDesk desk = lab.Deployment.Board(stranger);
                using HttpClient client = desk.Host(host.Reference);
                using var asked = new HttpRequestMessage(
                    method, $"/v1/compartments/{lab.Reference(SmallPolicies.Web)}/console")
                {
                    Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                using HttpResponseMessage answer = await client.SendAsync(
                    asked, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
                Assert.InRange((int)answer.StatusCode, 400, 499);
            }
        }

        Assert.DoesNotContain(await host.Log(mark), h => h.Kind == IntegrityKind.ManagementRead);

        // A key by itself, without Enter: only a raw terminal delivers it.
        Assert.Equal(0, await Converse(console => console.Type("\u001d")));
        Happening read = Assert.Single(await host.Log(mark), h => h.Kind == IntegrityKind.ManagementRead);
        Assert.Equal(lab.Reference(SmallPolicies.Web), read.Subject);

        // Whoever ends it, the terminal is as before.
        Assert.NotEqual(0, await Converse(_ => Cli.Terminate("machine console")));
    }

    /// <summary>Talks to a machine's shell at a terminal, ends that, and tells the exit code.</summary>
    private async Task<int?> Converse(Action<RunningCommand> end)
    {
        using RunningCommand console = Cli.StartInTerminal("bank", "machine", "console", SmallPolicies.Web);
        Stopwatch typed = new();
        await WholeLab.Until(
            () =>
            {
                if (console.ExitCode is null && (!typed.IsRunning || typed.Elapsed > TypingPause))
                {
                    console.Type("echo answer-$((40+2))\r");
                    typed.Restart();
                }

                return Task.FromResult(console.Said.Contains("answer-42", StringComparison.Ordinal)
                    ? null : $"{console.ExitCode} {console.Said}");
            },
            "the shell answers");
        end(console);
        await WholeLab.Until(() => Task.FromResult(console.ExitCode is null ? "it runs" : null), "it ends");
        output.WriteLine(console.Said);
        string[] modes = [.. TerminalModes().Matches(console.Said).Select(m => m.Value)];
        Assert.Equal(2, modes.Length);
        Assert.Equal(modes[0], modes[1]);
        return console.ExitCode;
    }

    private async Task<string> State(string party, string machine)
    {
        string reference = lab.Reference(machine);
        return (await Cli.Json(party, "status")).GetProperty("compartments").EnumerateArray()
            .Single(c => c.GetProperty("compartment").GetString() == reference).GetProperty("state").GetString() ?? "";
    }

    [GeneratedRegex("^mode [0-9a-f:]{20,}", RegexOptions.Multiline)]
    private static partial Regex TerminalModes();
}
