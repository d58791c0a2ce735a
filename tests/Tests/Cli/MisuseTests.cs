using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bailiwick.Tests.Custody;

namespace Bailiwick.Tests.Cli;

/// <summary>What a person can get wrong, and what the command says then.</summary>
public sealed class MisuseTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public static TheoryData<string> Verbs =>
    [
        "tenant init", "tenant rotate", "policy check", "policy plan", "policy diff", "policy sign", "policy apply",
        "policy why", "policy schema", "policy show",
        "get", "watch", "status", "verify", "machine start", "machine stop", "machine console",
        "host list", "host drain", "host leases",
        "volume create", "volume attach", "volume detach", "volume share", "volume accept",
        "volume clone", "volume snapshot", "volume resize", "volume backup", "volume verify-backup",
        "volume list", "volume show", "volume erase", "volume takeover", "host enrol", "host forget",
        "evidence fetch", "evidence show", "image import", "image approve",
        "key init", "key share", "key restore", "key list", "key prepare", "key load", "key rotate", "key withdraw",
        "key allow", "key destroy", "key release-log",
        "key receipt verify", "key receipt prove",
        "evidence verify", "network trace", "network flows", "network capture",
        "ledger verify", "evidence quote", "evidence ek", "evidence bootlog", "evidence ima", "evidence explain",
        "lab generate", "lab up", "lab down", "lab exec", "lab demo", "completion",
    ];

    /// <summary>Verbs that ask the board, each with what else it needs.</summary>
    public static TheoryData<string> Asking =>
    [
        "get", "get Domain bank/web", "watch", "status", "verify", "verify host-1",
        "machine start bank/web-1", "machine stop bank/web-1",
        "machine console bank/web-1", "host list", "host leases", "host drain host-1", "ledger verify",
        "volume list", "volume show x", "volume backup x --host host-1 --to d",
        "volume takeover x --from host-1 --keys k", "host enrol", "host enrol host-1",
        "host forget host-1 --tpm 1f0c4e2b9a7d3860 --keys k",
        "key list", "key rotate --master", "key destroy x --keys k --receipt r", "key release-log",
        "evidence fetch host-1 --domain web -o out",
        "ledger verify --compare theirs", "policy apply signed",
        "policy why bank/web-1 host-1", "policy check", "network trace bank/web-1 bank/web-2 tcp/443",
        "network flows bank/web", "network capture bank/web-1 --out web.pcap",
    ];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_shows_an_example(string verb)
    {
        Ending help = Run([.. verb.Split(' '), "--help"]);

        Assert.Equal((0, ""), (help.Code, help.Error));
        Assert.Contains($"Example: ", help.Output, StringComparison.Ordinal);
        Assert.Contains($"bailiwick {verb}", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_list_of_verbs_above_is_complete()
    {
        string[] groups =
            [
                "tenant", "policy", "machine", "volume", "image", "host",
                "ledger", "evidence", "lab", "key", "key receipt", "network",
            ];
        string[] top = Commands("--help");
        string[] all =
        [
            .. top.Except(groups),
            .. groups.SelectMany(g => Commands([.. g.Split(' '), "--help"]).Select(c => $"{g} {c}")).Except(groups),
        ];

        Assert.Equal(Verbs.Select(v => v.Data).Order(), all.Order());
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("policy", "")]
    [InlineData("--nope", "has no option --nope")]
    [InlineData("nope", "no command 'nope'; there are tenant, policy")]
    [InlineData("policy chek x", "no command 'chek'; there are check, plan, diff, why, schema, show, sign, apply.")]
    [InlineData("policy diff", "")]
    [InlineData("policy check --nope", "`bailiwick policy check` has no option --nope.")]
    [InlineData("policy check --nope x --json", "`bailiwick policy check` has no option --nope.")]
    [InlineData("policy check -j x", "has no option -j.")]
    [InlineData("policy check a b", "'b'")]
    [InlineData("policy check x --lab", "--lab")]
    [InlineData("policy plan x", "--host")]
    [InlineData("policy plan x --host a --host b", "--host")]
    [InlineData("policy sign x", "--keys")]
    [InlineData("watch --from soon --as x", "'soon'")]
    [InlineData("get Domian --as x", "'Domian' is no kind of statement; there are Tenant,")]
    [InlineData("get 3 --as x", "'3' is no kind")]
    [InlineData("completion fish", "'fish'")]
    [InlineData("lab exec host-1 ls -la", "has no option -la.")]
    [InlineData("lab exec host-1 -- ls -la", "no lab is up")]
    [InlineData("volume takeover x --keys k --as x", "--from")]
    [InlineData("host forget host-1 --keys k --as x", "--tpm")]
    [InlineData("host drain ../x --undo --as x", "no context")]
    [InlineData("host drain x?y --as x", "'x?y' is no host's name")]
    public void A_wrong_command_line_is_exit_2_with_a_sentence_and_nothing_on_standard_output(string line, string says)
    {
        Ending refused = Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, refused.Code);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Bailiwick.", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", refused.Error, StringComparison.Ordinal);
        if (says.Length > 0)
        {
            Assert.Empty(refused.Output);
        }
    }

    [Theory]
    [InlineData("policy check missing", "There is no directory missing")]
    [InlineData("policy check policies/bank/web.yaml", "is a file; name the directory")]
    [InlineData("policy plan missing --host host-1", "There is no directory missing")]
    [InlineData("policy diff policies missing", "There is no directory missing")]
    [InlineData("policy check broken", "parties.json is not")]
    [InlineData("policy check linked", "is a symbolic link")]
    [InlineData("policy check unreadable", "parties.json")]
    [InlineData("status", "Say who asks: --as NAME")]
    [InlineData("status --as nobody", "There is no context")]
    [InlineData("status --as missing.json", "There is no context missing.json")]
    [InlineData("status --as broken/parties.json", "broken/parties.json")]
    [InlineData("policy apply policies --as nobody", "policies")]
    public void A_file_that_is_not_as_it_must_be_is_named(string line, string says)
    {
        SigningScene.CopyExample(At("policies"));
        SigningScene.CopyExample(At("broken"));
        File.WriteAllText(At("broken/parties.json"), "{\"parties\":");
        SigningScene.CopyExample(At("linked"));
        File.CreateSymbolicLink(At("linked/bank/more.yaml"), "/dev/zero");
        SigningScene.CopyExample(At("unreadable"));
        File.CreateSymbolicLink(At("unreadable/parties.json"), "/proc/self/mem");

        Ending refused = Run(line.Split(' '));

        Assert.Equal((2, ""), (refused.Code, refused.Output));
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, Run("policy", "check", "policies").Code);
    }

    [Theory]
    [MemberData(nameof(Asking))]
    public void A_board_that_does_not_answer_is_exit_3(string line)
    {
        Directory.CreateDirectory(
            At("signed"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        Ending unanswered = Run([.. line.Split(' '), "--as", Context()]);

        Assert.Equal((3, ""), (unanswered.Code, unanswered.Output));
        Assert.Contains("cannot be asked", unanswered.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Completion_is_accepted_by_bash_and_suggests_the_verbs()
    {
        Ending script = Run("completion", "bash");
        File.WriteAllText(At("completion.bash"), script.Output);
        string line = "bailiwick policy ";

        Ending bash = CommandLine.Start("/bin/bash", _root.FullName, "-n", "completion.bash");
        Ending verbs = Run($"[suggest:{line.Length}]", line);
        Ending top = Run("[suggest:12]", "bailiwick po");

        Assert.Equal((0, 0, ""), (script.Code, bash.Code, bash.Error));
        Assert.Superset(new HashSet<string> { "check", "plan", "diff", "sign", "apply" }, Lines(verbs));
        Assert.Equal(["policy"], Lines(top));
    }

    [Fact]
    public void Bash_completes_a_verb_by_the_script()
    {
        File.WriteAllText(At("completion.bash"), Run("completion", "bash").Output);
        string trial = $"""
            . ./completion.bash
            COMP_LINE='bailiwick policy ch' COMP_POINT=19 COMP_WORDS=('{CommandLine.Executable}' policy ch) COMP_CWORD=2
            _bailiwick
            printf '%s\n' "${"{COMPREPLY[@]}"}"
            """;

        Ending bash = CommandLine.Start("/bin/bash", _root.FullName, "-c", trial);

        Assert.Equal((0, "check"), (bash.Code, bash.Output.Trim()));
    }

    public void Dispose() => _root.Delete(recursive: true);

    private static HashSet<string> Lines(Ending ending) =>
        [.. ending.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    private string[] Commands(params string[] arguments) =>
    [
        .. Run(arguments).Output.Split("Commands:\n")[1].Split('\n')
            .Where(l => l.StartsWith("  ", StringComparison.Ordinal) && l.Length > 2 && l[2] != ' ')
            .Select(l => l.Trim().Split(' ')[0]),
    ];

    /// <summary>A context whose board listens nowhere: a loopback port that was free a moment ago.</summary>
    private string Context()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string pem = At("identity.pem");
        File.WriteAllText(pem, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(pem, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        string context = At("context.json");
        File.WriteAllText(context, $$"""
            {"master":{"address":"127.0.0.1:{{port}}","key":"{{new string('0', 64)}}"},
            "log":{"origin":"log.example","key":"{{SigningScene.NewKey().Base64}}"},
            "datacentre":"{{new string('a', 64)}}","identity":"{{pem}}","hosts":{} }
            """);
        return context;
    }

    private string At(string path) => Path.Combine(_root.FullName, path);

    private Ending Run(params string[] arguments) => CommandLine.Run(_root.FullName, arguments);
}
