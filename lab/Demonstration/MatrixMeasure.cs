using System.Globalization;
using Bailiwick.Domains.Flows;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// Measures who can reach whom, with packets. Every question carries a token of its own; what counts is not only what
/// the asker got back but what the asked machine *received*, and any token that turns up at a machine that no policy
/// lets its sender reach is a leak, whatever it was meant for.
/// </summary>
public sealed class MatrixMeasure(IReadOnlyList<DemoMachine> machines, FlowMatrix matrix)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1200);

    // Most of a sweep is waiting for what must not come. Every question has its own token, so askers cannot confuse
    // each other; more of them at once would make promised answers late on a small machine.
    private const int AskersAtOnce = 4;

    /// <summary>Asks everything between every ordered pair; every machine asks all its questions at once.</summary>
    public async Task<IReadOnlyList<Cell>> Measure(Action<int, int> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(progress);
        await Listen(cancellation).ConfigureAwait(false);
        var answers = new Dictionary<(int From, int To, int Way), ProbeAnswer>();
        foreach (int[] askers in Enumerable.Range(0, machines.Count).Chunk(AskersAtOnce))
        {
            await Task.WhenAll(askers.Select(asker => Ask(asker, answers, cancellation))).ConfigureAwait(false);
            progress(askers[^1] + 1, machines.Count);
        }

        // The last frames may still be on their way.
        await Task.Delay(300, cancellation).ConfigureAwait(false);
        ProbeSeen[] seen = await Task.WhenAll(machines.Select(m => m.Probe.Seen(cancellation))).ConfigureAwait(false);
        if (seen.FirstOrDefault(s => s.Lost > 0) is { } lossy)
        {
            throw new LabException(
                $"a probe missed {lossy.Lost} frames, so that nothing arrived cannot be told", "the matrix",
                "run the demonstration again with less load on this machine");
        }

        return [.. answers.Select(a => CellOf(a.Key, a.Value, seen)), .. Strays(seen)];
    }

    private async Task Ask(
        int asker, Dictionary<(int From, int To, int Way), ProbeAnswer> answers, CancellationToken cancellation)
    {
        (int From, int To, int Way)[] keys = [.. Enumerable.Range(0, machines.Count).Where(to => to != asker)
            .SelectMany(to => Enumerable.Range(0, Way.All.Count).Select(way => (asker, to, way)))];
        IReadOnlyList<ProbeAnswer> row = await machines[asker].Probe
            .Sweep([.. keys.Select(k => Question(k.From, k.To, k.Way))], Patience, 2, cancellation)
            .ConfigureAwait(false);
        lock (answers)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                answers.Add(keys[i], row[i]);
            }
        }
    }

    /// <summary>Every machine calls to everyone at once, by broadcast and multicast.</summary>
    public async Task<IReadOnlyList<Cell>> MeasureShouts(CancellationToken cancellation)
    {
        await Task.WhenAll(machines.Select(m => m.Probe.Forget(cancellation))).ConfigureAwait(false);
        await Task.WhenAll(machines.Select((m, i) => m.Probe.Shout(ShoutToken(i), cancellation))).ConfigureAwait(false);
        await Task.Delay(800, cancellation).ConfigureAwait(false);
        ProbeSeen[] seen = await Task.WhenAll(machines.Select(m => m.Probe.Seen(cancellation))).ConfigureAwait(false);
        return [.. from f in Enumerable.Range(0, machines.Count)
                   from t in Enumerable.Range(0, machines.Count)
                   where f != t
                   let count = seen[t].CountOf(ShoutToken(f))
                   select new Cell(
                       machines[f].Name, machines[t].Name, Way.Shout, Expect(f, t) is FlowExpectation.Everything,
                       count > 0, string.Create(CultureInfo.InvariantCulture, $"{count} frames received"))];
    }

    private async Task Listen(CancellationToken cancellation) =>
        await Task.WhenAll(machines.Select(async machine =>
        {
            foreach (int port in Way.TcpPorts)
            {
                await machine.Probe.ListenTcp(port, cancellation).ConfigureAwait(false);
            }

            await machine.Probe.ListenUdp(Way.UdpPort, cancellation).ConfigureAwait(false);
            await machine.Probe.Forget(cancellation).ConfigureAwait(false);
        })).ConfigureAwait(false);

    private ProbeQuestion Question(int from, int to, int way)
    {
        Way one = Way.All[way];
        return new ProbeQuestion(
            one.Kind, one.Ipv6 ? machines[to].Ipv6 : machines[to].Ipv4, one.Port, Token(from, to, way));
    }

    private Cell CellOf((int From, int To, int Way) key, ProbeAnswer answer, ProbeSeen[] seen)
    {
        (int from, int to, int index) = key;
        Way way = Way.All[index];
        long received = seen[to].CountOf(Token(from, to, index));
        bool answered = way.Kind switch
        {
            ProbeKind.Tcp or ProbeKind.Udp => answer.Identity == machines[to].Name,
            ProbeKind.Arp or ProbeKind.Neighbour =>
                machines[to].Probe.Hello.Nics.Any(n => n.Mac == answer.Mac),
            ProbeKind.Ping => answer.Open && received > 0,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        bool promised = way.Promised(Expect(from, to));

        // Promised means a conversation; not promised means that not even one frame may arrive.
        bool passed = promised ? answered : answered || received > 0;
        string evidence = string.Create(CultureInfo.InvariantCulture,
            $"{answer.Why} after {answer.Ms} ms, {received} frames received")
            + (answer.Identity.Length > 0 ? $", answered by {answer.Identity}" : "");
        return new Cell(machines[from].Name, machines[to].Name, way, promised, passed, evidence);
    }

    /// <summary>
    /// Whatever else arrived where it must not: tokens at machines they were not meant for, and frames, whatever is in
    /// them, straight from a machine of another domain. A handshake carries no token; its sender's address is enough.
    /// </summary>
    private IEnumerable<Cell> Strays(ProbeSeen[] seen) => StrayTokens(seen).Concat(StrayFrames(seen));

    private IEnumerable<Cell> StrayFrames(ProbeSeen[] seen) =>
        from at in Enumerable.Range(0, machines.Count)
        from sender in seen[at].Senders
        from other in Enumerable.Range(0, machines.Count)
        where other != at && machines[other].Probe.Hello.Nics.Any(n => n.Mac == sender.Mac)
            && Expect(other, at) is not FlowExpectation.Everything
        select new Cell(machines[other].Name, machines[at].Name, Way.Frame, false, true,
            $"{sender.Count} frames straight from {sender.Mac}");

    private IEnumerable<Cell> StrayTokens(ProbeSeen[] seen)
    {
        for (int at = 0; at < machines.Count; at++)
        {
            foreach (ProbeToken token in seen[at].Tokens)
            {
                string[] parts = token.Token.Split('.');
                if (parts.Length == 4 && parts[0] == "q"
                    && int.Parse(parts[1], CultureInfo.InvariantCulture) is var from
                    && int.Parse(parts[2], CultureInfo.InvariantCulture) is var to
                    && to != at && from != at && Expect(from, at) is not FlowExpectation.Everything)
                {
                    Way way = Way.All[int.Parse(parts[3], CultureInfo.InvariantCulture)];
                    yield return new Cell(machines[from].Name, machines[at].Name, way, false, true,
                        $"a frame meant for {machines[to].Name} arrived here");
                }
            }
        }
    }

    private FlowExpectation Expect(int from, int to) => matrix.Expect(machines[from].Model.Ref, machines[to].Model.Ref);

    private static string Token(int from, int to, int way) =>
        string.Create(CultureInfo.InvariantCulture, $"q.{from}.{to}.{way}");

    private static string ShoutToken(int from) => string.Create(CultureInfo.InvariantCulture, $"s.{from}");
}
