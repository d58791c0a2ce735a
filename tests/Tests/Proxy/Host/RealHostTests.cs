using System.Diagnostics;
using System.Text;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Tests.Proxy.Host;

public class RealHostTests
{
    private readonly RealHost _host = new();

    [Fact]
    public void Gives_input_through_stdin_and_returns_output()
    {
        byte[] input = new byte[300_000];
        Array.Fill(input, (byte)'x');
        ProgramResult result = _host.Run(new ProgramCall("cat") { Input = input });
        Assert.Equal(input, result.Output.ToArray());
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public void Arguments_are_never_read_by_a_shell()
    {
        const string Hostile = "$(id) `id` ; id | id > /tmp/x \n '\" * -n";
        Assert.Equal(Hostile, _host.Run(new ProgramCall("printf", "%s", Hostile)).Text);
    }

    [Fact]
    public void The_environment_is_the_fixed_one()
    {
        Environment.SetEnvironmentVariable("BAILIWICK_TEST_SECRET", "leak");
        Assert.Equal(
            "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n",
            string.Join("", _host.Run(new ProgramCall("env")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Order(StringComparer.Ordinal).Select(line => line + "\n")));
    }

    [Fact]
    public void An_exit_code_that_is_no_answer_is_an_error_with_argv_code_and_stderr()
    {
        WorldException failed = Assert.Throws<WorldException>(() => _host.Run(new ProgramCall("ls", "/nonexistent")));
        Assert.Equal(["ls", "/nonexistent"], failed.Argv);
        Assert.Equal(2, failed.ExitCode);
        Assert.Contains("No such file", failed.Stderr, StringComparison.Ordinal);
        Assert.Equal(2, _host.Run(new ProgramCall("ls", "/nonexistent") { Answers = [0, 2] }).ExitCode);
    }

    [Fact]
    public void Kills_the_program_and_its_children_when_the_time_is_over()
    {
        string seconds = $"60.{Environment.ProcessId}{Stopwatch.GetTimestamp() % 100000}";
        Stopwatch time = Stopwatch.StartNew();
        // timeout(1) in the foreground starts sleep as a child of the same group.
        WorldException late = Assert.Throws<WorldException>(() => _host.Run(
            new ProgramCall("timeout", "--foreground", "100", "sleep", seconds)
            { Timeout = TimeSpan.FromMilliseconds(500) }));
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(10));
        Assert.Contains("killed after", late.Message, StringComparison.Ordinal);
        Stopwatch wait = Stopwatch.StartNew();
        while (IsRunning(seconds) && wait.Elapsed < TimeSpan.FromSeconds(5))
        {
            Thread.Sleep(20);
        }

        Assert.False(IsRunning(seconds));
    }

    [Fact]
    public void Kills_a_program_that_writes_too_much()
    {
        WorldException flood = Assert.Throws<WorldException>(() => _host.Run(new ProgramCall("yes")));
        Assert.Contains("more than", flood.Message, StringComparison.Ordinal);
        Assert.Throws<WorldException>(
            () => _host.Run(new ProgramCall("head", "-c", $"{ProgramCall.DefaultOutputBytes + 1}", "/dev/zero")));
        Assert.Equal(
            ProgramCall.DefaultOutputBytes,
            _host.Run(new ProgramCall("head", "-c", $"{ProgramCall.DefaultOutputBytes}", "/dev/zero")).Output.Length);
    }

    [Fact]
    public void A_program_that_does_not_read_its_input_is_no_error()
    {
        Assert.Equal(0, _host.Run(new ProgramCall("true") { Input = new byte[1 << 20] }).ExitCode);
    }

    [Fact]
    public void A_missing_program_is_an_error_that_says_so()
    {
        WorldException missing = Assert.Throws<WorldException>(() => _host.Run(new ProgramCall("no-such-program")));
        Assert.Contains("not installed", missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/bin/cat")]
    [InlineData("../bin/cat")]
    [InlineData("-c")]
    [InlineData("c\0at")]
    public void Refuses_a_program_that_is_not_a_plain_name(string program)
    {
        Assert.Throws<ArgumentException>(() => _host.Run(new ProgramCall(program)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-n")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    public void Refuses_a_namespace_that_is_not_a_plain_name(string name)
    {
        Assert.Throws<ArgumentException>(() => _host.Run(new ProgramCall("true") { NetworkNamespace = name }));
    }

    [Fact]
    public void Refuses_a_call_without_a_program_or_time()
    {
        Assert.Throws<ArgumentException>(() => _host.Run(new ProgramCall()));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => _host.Run(new ProgramCall("true") { Timeout = TimeSpan.Zero }));
    }

    private static bool IsRunning(string argument) => Directory.EnumerateDirectories("/proc").Any(process =>
    {
        try
        {
            string[] argv = Encoding.UTF8.GetString(File.ReadAllBytes($"{process}/cmdline")).Split('\0');
            return argv is ["sleep", var last, ..] && last == argument;
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    });
}
