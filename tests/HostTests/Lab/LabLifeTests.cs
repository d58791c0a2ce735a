using System.Diagnostics;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Lab;

[Collection(LabCollection.Name)]
public sealed class LabLifeTests : IDisposable
{
    private readonly LabOptions _options = LabFixture.Options() with { Hosts = ["host-1"] };

    public void Dispose()
    {
        if (Directory.Exists(_options.Directory))
        {
            Directory.Delete(_options.Directory, recursive: true);
        }
    }

    [Fact]
    public async Task Leaves_no_process_no_mount_and_no_interface()
    {
        var before = await Surroundings();
        IReadOnlyList<string> during;
        await using (var lab = await LabDatacentre.Up(_options))
        {
            Assert.NotEmpty(Holders());
            during = await Surroundings();
        }

        Assert.Empty(Holders());
        Assert.Equal(before, during);
        Assert.Equal(before, await Surroundings());
        Assert.False(File.Exists(Path.Combine(_options.Directory, "state.json")));
    }

    [Fact]
    public async Task A_detached_lab_stays_until_it_is_taken_down()
    {
        await using (var lab = await LabDatacentre.Up(_options))
        {
            lab.Detach();
        }

        try
        {
            var attached = await LabDatacentre.Attach(_options);
            Assert.Equal(0, (await attached.Host("host-1").Virsh("list")).ExitCode);
            var refusal = await Assert.ThrowsAsync<LabException>(() => LabDatacentre.Up(_options));
            Assert.Contains("already up", refusal.Cause, StringComparison.Ordinal);
        }
        finally
        {
            await LabDatacentre.Down(_options.Directory);
        }

        Assert.Empty(Holders());
        await LabDatacentre.Down(_options.Directory);
    }

    [Fact]
    public async Task Two_labs_do_not_share_a_directory_but_do_share_a_machine()
    {
        var elsewhere = LabFixture.Options() with { Hosts = ["host-1"] };
        try
        {
            await using var one = await LabDatacentre.Up(_options);
            await Assert.ThrowsAsync<LabException>(() => LabDatacentre.Up(_options));
            await Assert.ThrowsAsync<LabException>(() => LabDatacentre.Down(_options.Directory));
            await using (var two = await LabDatacentre.Up(elsewhere))
            {
                Assert.Equal(0, (await two.Host("host-1").Virsh("list")).ExitCode);
            }

            Assert.Equal(0, (await one.Host("host-1").Virsh("list")).ExitCode);
        }
        finally
        {
            Directory.Delete(elsewhere.Directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sweeps_a_predecessor_that_was_killed_even_without_its_record(bool withRecord)
    {
        // A builder that died leaves its spaces, and a record that says "owned by a process", with no lock held.
        await using (var dead = await LabDatacentre.Up(_options))
        {
            dead.Detach();
        }

        var record = Path.Combine(_options.Directory, "state.json");
        var left = Holders();
        Assert.NotEmpty(left);
        if (withRecord)
        {
            var text = await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(
                record, text.Replace("\"detached\"", "\"process\"", StringComparison.Ordinal),
                TestContext.Current.CancellationToken);
        }
        else
        {
            File.Delete(record);
        }

        await using (var next = await LabDatacentre.Up(_options))
        {
            Assert.DoesNotContain(left, mark => mark.IsAlive);
            Assert.Equal(0, (await next.Host("host-1").Virsh("list")).ExitCode);
        }

        Assert.Empty(Holders());
    }

    [Theory]
    [InlineData(LabPhase.Building)]
    [InlineData(LabPhase.Up)]
    public async Task Sweeps_a_predecessor_that_was_killed_while(LabPhase phase)
    {
        Directory.CreateDirectory(_options.Directory);
        using var predecessor = Process.Start(Predecessor());
        Assert.NotNull(predecessor);
        try
        {
            for (var i = 0; i < 600 && !Reached(phase); i++)
            {
                await Task.Delay(25);
            }

            Assert.True(Reached(phase), "the predecessor did not come so far");
        }
        finally
        {
            predecessor.Kill();
            await predecessor.WaitForExitAsync();
        }

        var left = Holders();
        Assert.NotEmpty(left);
        await using (var next = await LabDatacentre.Up(_options))
        {
            Assert.DoesNotContain(left, mark => mark.IsAlive);
            Assert.Equal(0, (await next.Host("host-1").Virsh("list")).ExitCode);
        }

        Assert.Empty(Holders());
    }

    [Fact]
    public async Task A_recorded_number_that_now_belongs_to_a_stranger_is_left_alone()
    {
        using var stranger = Process.Start("sleep", "60");
        try
        {
            Directory.CreateDirectory(_options.Directory);
            var mark = ProcessMark.Read(stranger.Id) ?? throw new InvalidOperationException();
            var register = new LabRegister(_options.Directory);
            register.Record(new LabSpaceRecord("host-1", LabSpaceKind.Host, null, null, mark));
            await LabDatacentre.Down(_options.Directory);
            Assert.False(stranger.HasExited);
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public async Task Refuses_bad_options_with_all_findings()
    {
        var refusal = await Assert.ThrowsAsync<LabException>(() => LabDatacentre.Up(
            _options with
            {
                Hosts = ["a", "a", "no name"],
                Services = [.. Enumerable.Range(0, 8).Select(i => $"s{i}")],
            }));
        Assert.Contains("'a' is there 2 times", refusal.Cause, StringComparison.Ordinal);
        Assert.Contains("'no name'", refusal.Cause, StringComparison.Ordinal);
        Assert.Contains("8 services", refusal.Cause, StringComparison.Ordinal);
    }

    private static bool HasHolder(LabState state) =>
        state.Spaces.Any(space => space is { Kind: LabSpaceKind.Host, Holder: not null });

    private ProcessStartInfo Predecessor()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath ?? "") { RedirectStandardOutput = true };
        var method = $"{typeof(LabPredecessor).FullName}.{nameof(LabPredecessor.Builds_a_lab_and_waits_to_be_killed)}";
        foreach (var argument in new[] { "-method", method, "-explicit", "only" })
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[LabPredecessor.DirectoryVariable] = _options.Directory;
        return start;
    }

    private bool Reached(LabPhase phase)
    {
        var register = new LabRegister(_options.Directory);
        return register.Exists && register.Current.Phase == phase && HasHolder(register.Current);
    }

    private static async Task<IReadOnlyList<string>> Surroundings() =>
    [
        (await LabPrograms.Run(["ip", "-o", "link"])).Output,
        await File.ReadAllTextAsync("/proc/mounts"),
        (await LabPrograms.Run(["nft", "list", "ruleset"])).Output,
    ];

    private List<ProcessMark> Holders()
    {
        var id = LabRegister.IdOf(_options.Directory);
        return
        [
            .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
                .Where(name => int.TryParse(name, out _))
                .Select(name => int.Parse(name ?? "0", System.Globalization.CultureInfo.InvariantCulture))
                .Where(pid => ReadArguments(pid).Contains(id, StringComparison.Ordinal))
                .Select(ProcessMark.Read).OfType<ProcessMark>(),
        ];
    }

    private static string ReadArguments(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
