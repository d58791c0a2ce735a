using System.Buffers.Binary;
using System.Text.Json;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.BootLog;

namespace Bailiwick.Tests.Cli;

/// <summary><c>bailiwick evidence explain</c>: demands and logs in, an answer for every demand out.</summary>
public sealed class EvidenceExplainTests : IDisposable
{
    private const string Secured = "keylime__binary_bios_measurements-secureboot";
    private const string Unsecured = "go-attestation__ubuntu_2104_shielded_vm_no_secure_boot_eventlog";
    private const string Demands = """
        # As under hosts.evidence of a domain.
        - {kind: crypto-agile}
        - {kind: secure-boot, state: "on"}
        """;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Demands_that_hold_are_ok_with_the_events_that_satisfy_them()
    {
        Ending ending = Explain(Demands, Secured, "--json");
        Assert.True(ending.Code == 0, ending.ToString());
        Assert.Equal("ok", Text(ending.Json, "verdict"));
        JsonElement[] demands = [.. ending.Json.GetProperty("demands").EnumerateArray()];
        Assert.Equal(["crypto-agile", "secure-boot"], demands.Select(d => Text(d, "kind")));
        Assert.All(demands, d => Assert.True(d.GetProperty("satisfied").GetBoolean()));
        Assert.Equal([4L], Events(demands[1]));
        Assert.Equal("Secure boot is on.", Text(demands[1], "sentence"));
        Assert.Equal("nobody", Text(ending.Json, "vouchedBy"));
        Assert.Contains("Nobody vouches for this log", Text(ending.Json, "caution"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_demand_that_is_broken_is_a_reject_and_names_the_event()
    {
        Ending ending = Explain(Demands, Unsecured, "--json");
        Assert.True(ending.Code == 1, ending.ToString());
        Assert.Equal("reject", Text(ending.Json, "verdict"));
        JsonElement broken = Assert.Single(
            ending.Json.GetProperty("demands").EnumerateArray(), d => !d.GetProperty("satisfied").GetBoolean());
        Assert.Equal(("secure-boot", "Secure boot is off."), (Text(broken, "kind"), Text(broken, "sentence")));
        Assert.Equal([3L], Events(broken));
    }

    [Fact]
    public void People_read_the_same_and_that_nobody_vouches_for_the_log()
    {
        Ending ending = Explain("""[{"kind": "secure-boot", "state": "on"}]""", Unsecured);
        Assert.Equal(1, ending.Code);
        Assert.Contains("boot 3", ending.Output, StringComparison.Ordinal);
        Assert.Contains("Secure boot is off.", ending.Output, StringComparison.Ordinal);
        Assert.Contains("Refused: 1 of 1 demand broken.", ending.Output, StringComparison.Ordinal);
        Assert.Contains("Nobody vouches for this log", ending.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_demands_of_a_domains_own_file_are_taken()
    {
        Ending ending = Run(Path.Combine(Tidy.Checkout.Root, "examples/three-tenants/bank/ledger.yaml"), Secured,
            "--json");
        Assert.Equal(["crypto-agile", "secure-boot", "exit-boot-services", "no-violations"],
            ending.Json.GetProperty("demands").EnumerateArray().Select(d => Text(d, "kind")));
        Assert.Equal(1, ending.Code);
        JsonElement broken = Assert.Single(
            ending.Json.GetProperty("demands").EnumerateArray(), d => !d.GetProperty("satisfied").GetBoolean());
        Assert.Equal("no-violations", Text(broken, "kind"));
    }

    [Theory]
    [InlineData("hahuri-invalid-eventlog.values.binary_runtime_measurements", 0, 0)]
    [InlineData("h12ssl.values.binary_runtime_measurements", 9, 1)]
    [InlineData("", 0, 1)]
    public void A_runtime_log_is_judged_too_and_its_absence_breaks_what_needs_it(
        string runtime, int violations, int code)
    {
        string[] more = runtime.Length == 0 ? [] : ["--runtime", VectorFiles.Find($"ima/{runtime}")];
        Ending ending = Explain(Demands + "\n- {kind: no-violations}\n", Secured, ["--json", .. more]);
        Assert.True(ending.Code == code, ending.ToString());
        JsonElement judged = ending.Json.GetProperty("demands")[2];
        Assert.Equal("runtime", Text(judged, "log"));
        Assert.Equal((code == 0, violations), (judged.GetProperty("satisfied").GetBoolean(), Events(judged).Length));
    }

    [Fact]
    public void A_runtime_log_that_ends_within_an_entry_is_a_reject()
    {
        byte[] log = File.ReadAllBytes(VectorFiles.Find("ima/h12ssl.values.binary_runtime_measurements"));
        Ending ending = Explain(Demands, Secured, "--json", "--runtime", Put("runtime", log[..^1]));
        Assert.True(ending.Code == 1, ending.ToString());
        Assert.Contains("is not whole", Assert.Single(Texts(ending.Json, "faults")), StringComparison.Ordinal);
    }

    [Fact]
    public void Registers_of_a_quote_decide_instead_of_the_logs_own()
    {
        BootReplay replay = BootReplay.Of(BootLogWriter.Understood(BootLogVectors.Bytes(Secured)), TpmHash.Sha256);
        byte[][] values = [.. Enumerable.Range(0, 10).Select(pcr => replay.Value(pcr).ToArray())];
        Ending ending = Explain(Demands, Secured, "--json", "--quote-pcrs", Put("right", ToolRegisters(values)));
        Assert.True(ending.Code == 0, ending.ToString());
        Assert.Equal("registers", Text(ending.Json, "vouchedBy"));
        Assert.DoesNotContain("Nobody", Text(ending.Json, "caution"), StringComparison.Ordinal);

        values[4][0] ^= 1;
        ending = Explain(Demands, Secured, "--json", "--quote-pcrs", Put("wrong", ToolRegisters(values)));
        Assert.True(ending.Code == 1, ending.ToString());
        Assert.Equal(["PCR 4 was quoted with another value than the log's events give."],
            Texts(ending.Json, "faults"));
        Assert.All(ending.Json.GetProperty("demands").EnumerateArray(),
            d => Assert.False(d.GetProperty("satisfied").GetBoolean()));
    }

    [Theory]
    [InlineData("keylime__binary_bios_measurements-empty")]
    [InlineData("go-attestation__short_no_action_eventlog")]
    public void A_log_that_proves_nothing_breaks_every_demand(string log)
    {
        Ending ending = Explain(Demands, log, "--json");
        Assert.True(ending.Code == 1, ending.ToString());
        Assert.All(ending.Json.GetProperty("demands").EnumerateArray(),
            d => Assert.False(d.GetProperty("satisfied").GetBoolean()));
        Assert.NotEmpty(Texts(ending.Json, "faults"));
    }

    [Fact]
    public void No_demand_is_a_reject()
    {
        Ending ending = Explain("[]", Secured, "--json");
        Assert.Equal((1, "reject"), (ending.Code, Text(ending.Json, "verdict")));
        Assert.Contains("Nothing is demanded", Assert.Single(Texts(ending.Json, "faults")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("- {kind: secure-boot, state: maybe}", ":1: bad-predicate: /0/state")]
    [InlineData("- {kind: crypto-agile}\n- {kind: nothing-known}", "/1/kind")]
    [InlineData("- {kind: crypto-agile, also: this}", "/0/also")]
    [InlineData("kind: Compartment", "0 lists of demands")]
    [InlineData("[]\n---\n[]", "2 lists of demands")]
    [InlineData("", "0 lists of demands")]
    [InlineData("- [", "")]
    public void A_file_of_demands_that_is_none_is_exit_2_with_the_place(string demands, string said)
    {
        Ending ending = Explain(demands, Secured);
        Assert.Equal((2, ""), (ending.Code, ending.Output));
        Assert.Contains("demands", ending.Error, StringComparison.Ordinal);
        Assert.Contains(said, ending.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--runtime")]
    [InlineData("--quote-pcrs")]
    public void A_file_that_is_not_there_is_exit_2(string option)
    {
        Ending ending = Explain(Demands, Secured, option, "/nonexistent/file");
        Assert.Equal((2, ""), (ending.Code, ending.Output));
    }

    private Ending Explain(string demands, string log, params string[] more) =>
        Run(Put("demands", System.Text.Encoding.UTF8.GetBytes(demands)), log, more);

    private static Ending Run(string demands, string log, params string[] more) => CommandLine.Run(".",
        ["evidence", "explain", "--demands", demands, "--bootlog", VectorFiles.Find($"bootlogs/{log}"), .. more]);

    private string Put(string name, byte[] content)
    {
        string path = Path.Combine(_root.FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static string Text(JsonElement value, string name) => value.GetProperty(name).GetString() ?? "";

    private static string[] Texts(JsonElement value, string name) =>
        [.. value.GetProperty(name).EnumerateArray().Select(text => text.GetString() ?? "")];

    private static long[] Events(JsonElement demand) =>
        [.. demand.GetProperty("events").EnumerateArray().Select(number => number.GetInt64())];

    /// <summary>Registers from 0 on of the SHA-256 bank, as <c>tpm2_quote -o</c> writes them.</summary>
    private static byte[] ToolRegisters(byte[][] values)
    {
        byte[] file = new byte[132 + 4 + ((values.Length + 7) / 8 * (4 + (8 * 66)))];
        file[0] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(4), (ushort)TpmHash.Sha256);
        file[6] = 3;
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(7), (1 << values.Length) - 1);
        file[132] = (byte)((values.Length + 7) / 8);
        for (int i = 0; i < values.Length; i++)
        {
            int list = 136 + (i / 8 * (4 + (8 * 66))), at = list + 4 + (i % 8 * 66);
            file[list]++;
            file[at] = 32;
            values[i].CopyTo(file, at + 2);
        }

        return file;
    }
}
