using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Guests;

/// <summary>
/// Keeps what a guest says on its console until its probe answers, and tells what its host knows of it when it does
/// not. Nobody else may read the console meanwhile: each would see a part of it.
/// </summary>
public sealed partial class GuestWatch : IAsyncDisposable
{
    private const int ConsoleLines = 12;
    private const int Looks = 3;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(700);

    // A pseudo terminal is there once the guest's QEMU is, as its probe's socket is; what nobody reads is lost.
    private const string Follow =
        """
        while :; do
            until [ -S "$2" ]; do sleep 1; done
            cat "$(virsh -q -c qemu:///system ttyconsole "$1")"
            sleep 1
        done
        """;

    private readonly LabHost _host;
    private readonly string _machine;
    private readonly LabProgram _console;

    private GuestWatch(LabHost host, string machine, LabProgram console) =>
        (_host, _machine, _console) = (host, machine, console);

    /// <summary>Begins to watch.</summary>
    /// <param name="host">The guest's host.</param>
    /// <param name="machine">libvirt's name of it; it need not run yet.</param>
    /// <param name="probeSocket">The path of its probe's socket inside the host.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<GuestWatch> Begin(
        LabHost host, string machine, string probeSocket, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(host);
        string log = Path.Combine(host.Directory, $"console-{machine}.log");
        File.Delete(log);
        return new GuestWatch(host, machine, await host.StartInside(
            ["sh", "-c", Follow, "sh", machine, probeSocket], null, log, cancellation).ConfigureAwait(false));
    }

    /// <summary>The guest's state, its ports, what its processor does, and the last lines of its console.</summary>
    public async Task<string> Tell(CancellationToken cancellation = default)
    {
        string state = await Virsh("domstate", _machine, "--reason").ConfigureAwait(false);
        StringBuilder told = new($"its QEMU: {state}");
        told.Append(CultureInfo.InvariantCulture, $"; its disks: {await Virsh("domblkerror", _machine)
            .ConfigureAwait(false)}");
        foreach (string port in await Ports().ConfigureAwait(false))
        {
            told.Append("; ").Append(port);
        }

        told.Append("; its processor: ").AppendJoin(", then ", await Processor(cancellation).ConfigureAwait(false));
        string[] console = [.. _console.LogTail(ConsoleLines).Split('\n').Where(line => line.Trim().Length > 0)];
        return told.Append(console.Length == 0 ? "; its console has said nothing"
            : $"; its console said at last:\n    {string.Join("\n    ", console.Select(Plain))}").ToString();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _console.Stop(TimeSpan.FromSeconds(2)).ConfigureAwait(false);

    /// <summary>A port without a group gets no frame: the host's guard takes it for dead.</summary>
    private async Task<IEnumerable<string>> Ports()
    {
        string[] live = await _host.LivePorts().ConfigureAwait(false);
        return (await Virsh("domiflist", _machine).ConfigureAwait(false)).Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length == 5)
            .Select(words => $"its port {words[0]}: {(live.Contains(words[0]) ? "live" : "dead")}");
    }

    /// <summary>
    /// Where it was at some moments: one that is halted waits for something, one that stays at a place hangs there.
    /// </summary>
    private async Task<List<string>> Processor(CancellationToken cancellation)
    {
        List<string> seen = [];
        for (int look = 0; look < Looks; look++)
        {
            Match found = Registers().Match(
                await Virsh("qemu-monitor-command", _machine, "--hmp", "info registers").ConfigureAwait(false));
            seen.Add(!found.Success ? "not seen" : $"at {found.Groups[1].Value}, "
                + (found.Groups[2].Value == "0" ? "in the kernel" : "in a program")
                + (found.Groups[3].Value == "1" ? ", halted" : ""));
            await Task.Delay(BetweenLooks, cancellation).ConfigureAwait(false);
        }

        return seen;
    }

    private async Task<string> Virsh(params string[] words)
    {
        LabProgramResult said = await _host.Virsh(words).ConfigureAwait(false);
        return said.ExitCode == 0 ? said.Output.Trim() : said.Error.Trim();
    }

    /// <summary>What a guest wrote goes to a person's terminal only as plain characters.</summary>
    private static string Plain(string line) => new([.. line.Trim().Select(c => char.IsControl(c) ? '?' : c)]);

    [GeneratedRegex(@"RIP=([0-9a-f]+) .*CPL=(\d) .*HLT=(\d)", RegexOptions.Singleline)]
    private static partial Regex Registers();
}
