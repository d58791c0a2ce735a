using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// A volume's header is part of its key's release: what whoever writes to the pool can put there, on real LUKS.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class VolumeHeaderTests(WholeLab lab)
{
    private const string Volume = "records-1-data";

    private const int KeyMaterial = 4096;

    // LUKS1 by QEMU: eight slots with 4000 stripes of 64 bytes, each in whole blocks of 4096, behind one block.
    private const int HeaderBytes = 2_068_480;

    private CommandLine Cli => new(lab.Paths);

    private string Place => FileOf("hospital/" + Volume);

    private string Spare => Path.Combine(lab.Paths.Root, "spare.luks");

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_volume_starts_with_its_own_header_and_with_nothing_else_in_its_place()
    {
        await lab.Ready();
        byte[] key = Assert.Single(await SecrecyTests.KeysOf(lab, "hospital"));
        await Trusted(await lab.Where(SmallPolicies.Records));
        string header = await Header();
        int boot = (await Hello()).Boot;
        await Stop();
        File.Copy(Place, Spare, overwrite: true);
        try
        {
            await Refused("header-missing", () => File.Delete(Place));
            await Refused("header-differs", () => Write(Bytes(FileOf("bank/web-1-data"), 0, HeaderBytes), 0));
            await Refused("header-differs", () => Write([(byte)(Bytes(Place, KeyMaterial, 1)[0] ^ 1)], KeyMaterial));
            await Refused("header-differs", () => Renew(key));
            Restore();

            // The control: the same file as it was is taken again, and the machine finds what it wrote.
            await lab.SetPower(SmallPolicies.Records, true);
            ProbeHello again = await Hello();
            Assert.Equal((SmallPolicies.Records, boot + 1), (again.Found, again.Boot));
            Assert.Equal(header, await Header());
        }
        catch
        {
            // The tests that follow find the volume as it was; never under a machine that runs and writes to it.
            await Stop();
            Restore();
            throw;
        }
        finally
        {
            File.Delete(Spare);
        }

        await lab.Settled();
    }

    private string FileOf(string volume) => Path.Combine(
        lab.Paths.Pool, DerivedNames.Digits(lab.Reference(volume), DerivedNames.VolumeDigits) + ".luks");

    private async Task Refused(string code, Action spoil)
    {
        Restore();
        spoil();
        await lab.SetPower(SmallPolicies.Records, true);
        WholeHost host = await lab.Where(SmallPolicies.Records);
        await WholeLab.Until(
            async () => (await Reasons(host)).Any(one => one.Contains($"[{code}]", StringComparison.Ordinal))
                ? null : string.Join("; ", await Reasons(host)), $"the start is refused: {code}");
        Assert.DoesNotContain(lab.MachineName(SmallPolicies.Records), lab.Processes().Keys);

        // The pool is nobody's evidence against the host.
        await Trusted(host);
        await Stop();
    }

    private Task Trusted(WholeHost host) => WholeLab.Until(
        async () =>
        {
            LabProgramResult leases = await Cli.Run("hospital", "host", "leases");
            Assert.DoesNotContain("refused", leases.Output, StringComparison.Ordinal);
            return leases.Output.Split('\n').Any(row => row.Contains(host.Name, StringComparison.Ordinal)
                && row.Contains("held", StringComparison.Ordinal)) ? null : leases.Output;
        },
        "the host has its lease");

    private async Task<string[]> Reasons(WholeHost host)
    {
        string machine = lab.Reference(SmallPolicies.Records);
        return [.. (await host.Status()).Compartments.Where(one => one.Ref == machine)
            .SelectMany(one => one.Refusals).Select(one => one.Sentence)];
    }

    private async Task Stop()
    {
        await lab.SetPower(SmallPolicies.Records, false);
        await lab.Stopped(SmallPolicies.Records);
    }

    private async Task<ProbeHello> Hello()
    {
        await using ProbeChannel probe = await lab.Meet(SmallPolicies.Records);
        return probe.Hello;
    }

    /// <summary>The header by which the owner knows the volume.</summary>
    private async Task<string> Header() =>
        (await Cli.Json("hospital", "volume", "show", Volume)).GetProperty("header").GetString()
        ?? throw new InvalidOperationException("no header is bound");

    private void Restore()
    {
        File.Copy(Spare, Place, overwrite: true);
        File.SetUnixFileMode(Place, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static byte[] Bytes(string path, int at, int count)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = at;
        byte[] bytes = new byte[count];
        file.ReadExactly(bytes);
        return bytes;
    }

    private void Write(byte[] bytes, int at)
    {
        using FileStream file = File.OpenWrite(Place);
        file.Position = at;
        file.Write(bytes);
    }

    /// <summary>Another header under the very key: its slot is made anew, as by who knows the key.</summary>
    private void Renew(byte[] key)
    {
        string old = Path.Combine(lab.Paths.Root, "old.key"), other = Path.Combine(lab.Paths.Root, "other.key");
        File.WriteAllText(old, Convert.ToHexStringLower(key));
        File.WriteAllText(other, "another key");
        try
        {
            Amend(old, "state=active,keyslot=1,new-secret=n,iter-time=10", other);
            Amend(other, "state=inactive,keyslot=0", other);
            Amend(other, "state=active,keyslot=0,new-secret=n,iter-time=10", old);
            Amend(old, "state=inactive,keyslot=1", old);
        }
        finally
        {
            File.Delete(old);
            File.Delete(other);
        }

        new RealHost().Run(new ProgramCall(
            "qemu-io", "-c", "read 0 4k", "--object", "secret,id=k,data=" + Convert.ToHexStringLower(key),
            "--image-opts", $"driver=luks,key-secret=k,file.driver=file,file.filename={Place}"));
    }

    private void Amend(string opens, string options, string added) => QemuLuks.Run(new RealHost(), new ProgramCall(
        "qemu-img", "amend", "-q", "--object", $"secret,id=k,file={opens}", "--object", $"secret,id=n,file={added}",
        "--image-opts", $"driver=luks,key-secret=k,file.driver=file,file.filename={Place}", "-o", options));
}
