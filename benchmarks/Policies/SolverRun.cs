using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>What a solver says of two lists.</summary>
/// <param name="IsEnded">Whether it said anything within its time.</param>
/// <param name="Packet">A packet that they do not treat alike; null where there is none.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record SolverAnswer(bool IsEnded, ListedPacket? Packet, double Seconds);

/// <summary>Asks Debian's z3 whether two access lists treat every packet alike: bit-vectors, SMT-LIB on its input.
/// </summary>
internal static partial class SolverRun
{
    /// <summary>After so many seconds it is not waited for.</summary>
    public const int MostSeconds = 60;

    private static readonly string Limit = string.Create(CultureInfo.InvariantCulture, $"-T:{MostSeconds}");

    /// <summary>The question, with a name for what each rule and those behind it say.</summary>
    public static string Question(IReadOnlyList<AccessRule> one, IReadOnlyList<AccessRule> other)
    {
        var text = new StringBuilder("(set-logic QF_BV)\n(declare-const src (_ BitVec 32))\n")
            .Append("(declare-const dst (_ BitVec 32))\n(declare-const proto (_ BitVec 8))\n")
            .Append("(declare-const port (_ BitVec 16))\n");
        foreach (var (name, list) in new[] { ("a", one), ("b", other) })
        {
            text.Append(CultureInfo.InvariantCulture, $"(declare-const {name}{list.Count} Bool)\n")
                .Append(CultureInfo.InvariantCulture, $"(assert (not {name}{list.Count}))\n");
            for (var i = list.Count - 1; i >= 0; i--)
            {
                text.Append(CultureInfo.InvariantCulture, $"(declare-const {name}{i} Bool)\n(assert (= {name}{i} ")
                    .Append(CultureInfo.InvariantCulture, $"(ite {list[i].Smt} {(list[i].Permits ? "true" : "false")} ")
                    .Append(CultureInfo.InvariantCulture, $"{name}{i + 1})))\n");
            }
        }

        return text.Append("(assert (distinct a0 b0))\n(check-sat)\n(get-value (src dst proto port))\n").ToString();
    }

    /// <summary>Asks it.</summary>
    /// <exception cref="BenchException">It does not answer.</exception>
    public static async Task<SolverAnswer> Ask(string question, CancellationToken cancel)
    {
        var begun = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo("z3", ["-in", Limit])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
        }) ?? throw new BenchException("z3 did not start.");
        try
        {
            var reading = process.StandardOutput.ReadToEndAsync(cancel);
            await Write(process, question, cancel);
            var said = await reading;
            await process.WaitForExitAsync(cancel);
            var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            return said.Split('\n')[0] switch
            {
                "unsat" => new SolverAnswer(true, null, seconds),
                "sat" => new SolverAnswer(true, Packet(said), seconds),
                "timeout" => new SolverAnswer(false, null, seconds),
                _ => throw new BenchException($"z3 says: {said}"),
            };
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static async Task Write(Process process, string question, CancellationToken cancel)
    {
        try
        {
            await process.StandardInput.WriteAsync(question.AsMemory(), cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended while it was told the question: what it said tells why.
        }
    }

    private static ListedPacket Packet(string said)
    {
        var values = Value().Matches(said).ToDictionary(
            match => match.Groups[1].Value,
            match => uint.Parse(match.Groups[2].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            StringComparer.Ordinal);
        return new ListedPacket(values["src"], values["dst"], (int)values["proto"], (int)values["port"]);
    }

    [GeneratedRegex("\\((src|dst|proto|port) #x([0-9a-f]+)\\)")]
    private static partial Regex Value();
}
