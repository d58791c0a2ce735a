using System.Text.Json;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// A volume is erased by one command, on the whole product: key, bytes, receipt, ledger (hostile case S01); what was
/// put back from before releases nothing (K05); and the owner's other verbs on keys.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class ErasureTests(WholeLab lab)
{
    private const string Volume = "records-1-data";
    private const int LargeMib = 192;

    private CommandLine Cli => new(lab.Paths);

    private string Keys => Path.Combine(lab.Paths.Keys, "hospital");

    private string Place => Path.Combine(
        lab.Paths.Pool, DerivedNames.Digits(lab.Reference("hospital/" + Volume), DerivedNames.VolumeDigits) + ".luks");

    [Fact]
    public async Task A_volume_is_erased_by_one_command_and_a_newer_statement_gets_an_empty_one()
    {
        await lab.Ready();
        await Wiping("crypto-erase", "overwrite");
        string receipt = Path.Combine(lab.Paths.Root, $"erased-{Guid.NewGuid():N}.json");
        Assert.Equal(2, (await Erase(receipt, "--wait", "5")).ExitCode);
        Assert.True(File.Exists(Place));
        await lab.SetPower(SmallPolicies.Records, false);
        await lab.Stopped(SmallPolicies.Records);
        byte[] before = await File.ReadAllBytesAsync(Place);
        using FileStream held = File.OpenRead(Place);

        // While no Proxy answers the key is gone all the same, and the receipt says that the bytes are pending.
        foreach (WholeHost host in lab.Hosts)
        {
            await lab.Kill(host.Name, "Proxy");
        }

        LabProgramResult pending = await Erase(receipt, "--yes", "--wait", "2", "--json");
        Assert.True(pending.ExitCode == 1, pending.Error);
        Assert.Equal(1, JsonElement.Parse(pending.Output).GetProperty("pending").GetInt64());
        Assert.True(File.Exists(Place));
        foreach (WholeHost host in lab.Hosts)
        {
            await lab.Deployment.StartProxy(host.Space, TestContext.Current.CancellationToken);
        }

        LabProgramResult erased = await Erase(receipt, "--yes", "--wait", "100", "--json");
        Assert.True(erased.ExitCode == 0, erased.Output + erased.Error);
        JsonElement said = JsonElement.Parse(erased.Output);
        Assert.Equal("overwritten", said.GetProperty("outcome").GetString());
        Assert.True(said.GetProperty("ledger").GetInt64() > 0);
        Assert.False(File.Exists(Place));
        AssertNothingOf(before, held);

        // The receipt is checked by its owner alone, and a forged one is refused.
        LabProgramResult good = await Cli.Run("hospital", "key", "receipt", "verify", receipt, "--keys", Keys);
        Assert.True(good.ExitCode == 0, good.Error);
        Assert.Contains("bytes overwritten", good.Output, StringComparison.Ordinal);
        Assert.Contains("by its signed root", good.Output, StringComparison.Ordinal);
        LabProgramResult forged = await Cli.Run(
            "hospital", "key", "receipt", "verify", receipt, "--keys", Path.Combine(lab.Paths.Keys, "bank"));
        Assert.Equal(1, forged.ExitCode);

        await lab.SetPower(SmallPolicies.Records, true);
        await WholeLab.Until(
            async () => (await lab.Status("hospital")).Compartments.SelectMany(one => one.Refusals)
                .Any(one => one.Sentence.Contains("key-destroyed", StringComparison.Ordinal)) ? null : "not refused",
            "the destroyed key is refused");

        // A key that was prepared elsewhere comes in for the newer statement alone, and is the one that is used.
        await lab.SetPower(SmallPolicies.Records, false);
        string prepared = await Prepared();
        await LoadedAfterANewerStatement(prepared);
        await lab.SetPower(SmallPolicies.Records, true);
        await using (ProbeChannel probe = await lab.Meet(SmallPolicies.Records))
        {
            Assert.Equal(1, probe.Hello.Boot);
        }

        await lab.Settled();
        LabProgramResult log = await Cli.Run("hospital", "key", "release-log");
        Assert.Contains("load keys", log.Output, StringComparison.Ordinal);
        Assert.Contains(
            Convert.ToHexStringLower(Opened(prepared)),
            (await SecrecyTests.KeysOf(lab, "hospital")).Select(Convert.ToHexStringLower));
        await lab.Settled();
    }

    [Fact]
    public async Task A_key_service_that_was_put_back_from_before_a_change_says_so_and_releases_nothing()
    {
        await lab.Ready();
        string place = lab.Paths.KeyService("hospital"), old = place + ".old", now = place + ".now";
        await lab.Kill("keys-hospital", "KeyService");
        Copy(place, old);
        await lab.StartKeyService("hospital");
        await Answers();
        long generation = (await Cli.Json("hospital", "key", "list")).GetProperty("generation").GetInt64();
        await Cli.Json("hospital", "key", "rotate", "--master");
        JsonElement list = await Cli.Json("hospital", "key", "list");
        Assert.Equal(generation + 1, list.GetProperty("generation").GetInt64());
        Assert.Contains(Volume, list.GetRawText(), StringComparison.Ordinal);
        LabProgramResult log = await Cli.Run("hospital", "key", "release-log");
        Assert.Contains("rotate master", log.Output, StringComparison.Ordinal);
        Assert.NotEqual(0, (await Cli.Run("bank", "key", "rotate", "--domain", "nothing-like-it")).ExitCode);
        await WholeLab.Until(
            async () => (await Cli.Run("hospital", "get", "KeyChange")).Output
                .Contains("keys", StringComparison.Ordinal) ? null : "no KeyChange", "the change is in the ledger");
        try
        {
            await lab.Kill("keys-hospital", "KeyService");
            Directory.Move(place, now);
            Copy(old, place);
            await lab.StartKeyService("hospital");
            await WholeLab.Until(
                async () => (await Cli.Run("hospital", "key", "rotate", "--master")) is { ExitCode: not 0 } refused
                    && refused.Error.Contains("store-rolled-back", StringComparison.Ordinal) ? null : "not flagged",
                "the old store is flagged");
            LabProgramResult leases = await Cli.Run("hospital", "host", "leases");
            Assert.DoesNotContain("held", leases.Output, StringComparison.Ordinal);
        }
        finally
        {
            await lab.Kill("keys-hospital", "KeyService");
            Directory.Delete(place, recursive: true);
            Directory.Move(now, place);
            Directory.Delete(old, recursive: true);
            await lab.StartKeyService("hospital");
        }

        // The control: the newest store is trusted, and hosts have their leases again.
        await WholeLab.Until(
            async () => (await Cli.Run("hospital", "host", "leases")).Output.Contains("held", StringComparison.Ordinal)
                ? null : "no lease", "the hosts have leases again");
        await lab.Settled();
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_host_that_is_killed_in_the_middle_of_an_overwrite_goes_on_and_the_receipt_comes()
    {
        await lab.Ready();
        await Sized(16, LargeMib);
        try
        {
            await lab.SetPower(SmallPolicies.Records, false);
            await lab.Stopped(SmallPolicies.Records);
            long length = new FileInfo(Place).Length;
            Assert.True(length > LargeMib << 20, $"{length} bytes");
            string receipt = Path.Combine(lab.Paths.Root, $"erased-{Guid.NewGuid():N}.json");
            Task<LabProgramResult> erasing = Erase(receipt, "--yes", "--wait", "100", "--json");
            (WholeHost host, long written) = await KilledInTheMiddle(length);
            Assert.True(File.Exists(Place));
            using (FileStream half = File.OpenRead(Place))
            {
                byte[] magic = new byte[4];
                half.ReadExactly(magic);
                Assert.NotEqual("LUKS"u8.ToArray(), magic);
            }

            await lab.Deployment.StartProxy(host.Space, TestContext.Current.CancellationToken);
            LabProgramResult erased = await erasing;
            Assert.True(erased.ExitCode == 0, erased.Output + erased.Error);
            Assert.Equal("overwritten", JsonElement.Parse(erased.Output).GetProperty("outcome").GetString());
            Assert.False(File.Exists(Place));
            LabProgramResult good = await Cli.Run("hospital", "key", "receipt", "verify", receipt, "--keys", Keys);
            Assert.Contains($"{length} bytes overwritten", good.Output, StringComparison.Ordinal);
            Assert.InRange(written, 1, length - 1);
        }
        finally
        {
            await Sized(LargeMib, 16);
            await lab.SetPower(SmallPolicies.Records, true);
        }

        await lab.Settled();
    }

    /// <summary>Kills the Proxy that overwrites, as soon as it has noted a part; how much that was.</summary>
    private async Task<(WholeHost Host, long Written)> KilledInTheMiddle(long length)
    {
        for (var clock = System.Diagnostics.Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(60);)
        {
            foreach (WholeHost host in lab.Hosts)
            {
                string notes = Path.Combine(lab.Paths.Proxy(host.Name), "state", "scrubs.json");
                if (Written(host.Space.PathInside(notes)) is var written && written > 0 && written < length)
                {
                    await lab.Kill(host.Name, "Proxy");
                    return (host, Written(host.Space.PathInside(notes)));
                }
            }

            await Task.Delay(1);
        }

        throw new InvalidOperationException("nobody was seen to overwrite");
    }

    private static long Written(string notes)
    {
        try
        {
            return JsonElement.Parse(File.ReadAllText(notes)).EnumerateArray()
                .SelectMany(work => work.GetProperty("Files").EnumerateArray())
                .Sum(file => file.GetProperty("Written").GetInt64());
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return 0;
        }
    }

    /// <summary>States another size of a volume that has no bytes, and erases the one that there is.</summary>
    private async Task Sized(int from, int to)
    {
        await lab.SetPower(SmallPolicies.Records, false);
        await lab.Stopped(SmallPolicies.Records);
        if (File.Exists(Place))
        {
            string receipt = Path.Combine(lab.Paths.Root, $"erased-{Guid.NewGuid():N}.json");
            LabProgramResult erased = await Erase(receipt, "--yes", "--wait", "100");
            Assert.True(erased.ExitCode == 0, erased.Output + erased.Error);
        }

        string path = Path.Combine(lab.Paths.Policies, "hospital", "records.yaml");
        string text = await File.ReadAllTextAsync(path);
        await File.WriteAllTextAsync(path, text
            .Replace($"sizeMiB: {from}\n", $"sizeMiB: {to}\n", StringComparison.Ordinal)
            .Replace(
                to == LargeMib ? "wipe: crypto-erase" : "wipe: overwrite",
                to == LargeMib ? "wipe: overwrite" : "wipe: crypto-erase", StringComparison.Ordinal));
        await lab.Deployment.Publish(
            "hospital", lab.Deployment.Desks.Sign("hospital", lab.Deployment.LogKey()), default);
        await lab.SetPower(SmallPolicies.Records, true);
        await lab.Settled();
    }

    private Task Answers() => WholeLab.Until(
        async () => await Cli.Run("hospital", "key", "list") is { ExitCode: 0 } ? null : "no answer",
        "the key service answers");

    private Task<LabProgramResult> Erase(string receipt, params string[] more) => Cli.Run(
        "hospital", ["volume", "erase", Volume, "--keys", Keys, "--receipt", receipt, .. more]);

    /// <summary>Keys as somebody makes them who has the sealed master key and its passphrase, and no network.</summary>
    private async Task<string> Prepared()
    {
        string file = Path.Combine(lab.Paths.Keys, "hospital", $"{Guid.NewGuid():N}.keys");
        LabProgramResult made = await Cli.Run(
            "hospital", "key", "prepare", Volume, "--domain", "records", "--keys", Keys, "--out", file,
            "--master", lab.Paths.MasterKey("hospital"), "--passphrase-file", lab.Paths.MasterPassphrase("hospital"));
        Assert.True(made.ExitCode == 0, made.Error);
        return file;
    }

    private async Task LoadedAfterANewerStatement(string prepared)
    {
        Assert.Contains("key-destroyed", (await Load(prepared)).Error, StringComparison.Ordinal);
        await Wiping("overwrite", "crypto-erase");
        LabProgramResult? loaded = null;
        await WholeLab.Until(
            async () => (loaded = await Load(prepared)).ExitCode == 0
                || !loaded.Error.Contains("key-destroyed", StringComparison.Ordinal) ? null : "still destroyed",
            "the newer statement is seen");
        Assert.True(loaded?.ExitCode == 0, loaded?.Error);
        Assert.Contains("key-exists", (await Load(prepared)).Error, StringComparison.Ordinal);
    }

    private Task<LabProgramResult> Load(string file) => Cli.Run("hospital", "key", "load", file);

    private byte[] Opened(string file)
    {
        using PassphraseLock sealing = PassphraseLock.Read(
            LinuxDisk.Instance, lab.Paths.MasterPassphrase("hospital"));
        PreparedKeys prepared = PreparedKeys.Read(File.ReadAllBytes(file)) ?? throw new InvalidDataException();
        using MasterKeyFile master = MasterKeyFile.Open(
            LinuxDisk.Instance, lab.Paths.MasterKey("hospital"), sealing, prepared.Tenant);
        using SecretBytes key = prepared.Open(master.Current)?[0] ?? throw new InvalidDataException();
        using SecretLoan loan = key.Borrow();
        return loan.Bytes.ToArray();
    }

    /// <summary>States how the volume is to be erased, which is a newer statement of it.</summary>
    private Task Wiping(string from, string to) => lab.Change(
        "hospital", "records", text => text.Replace($"wipe: {from}", $"wipe: {to}", StringComparison.Ordinal));

    /// <summary>No block of 16 bytes that was there, where it was or anywhere else in what the file became.</summary>
    private static void AssertNothingOf(byte[] before, FileStream held)
    {
        HashSet<UInt128> blocks = [];
        for (int i = 0; i + 16 <= before.Length; i += 16)
        {
            UInt128 block = BitConverter.ToUInt128(before, i);
            if (block != 0)
            {
                blocks.Add(block);
            }
        }

        byte[] after = new byte[before.Length];
        held.Position = 0;
        held.ReadExactly(after);
        Assert.True(blocks.Count > 1000);
        int found = Enumerable.Range(0, after.Length - 15)
            .Count(i => blocks.Contains(BitConverter.ToUInt128(after, i)));
        Assert.Equal(0, found);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to, File.GetUnixFileMode(from));
        foreach (string file in Directory.EnumerateFiles(from)
            .Where(file => !file.EndsWith(".sock", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (string directory in Directory.EnumerateDirectories(from))
        {
            Copy(directory, Path.Combine(to, Path.GetFileName(directory)));
        }
    }
}
