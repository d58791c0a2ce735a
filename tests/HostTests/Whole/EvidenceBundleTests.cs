using System.Text.Json;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>A tenant at its desk, with hosts that have TPMs: evidence to keep, and a host that is enrolled by hand.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class EvidenceBundleTests(WholeLab lab)
{
    private const string Host = "host-1";

    private CommandLine Cli => new(lab.Paths);

    [Fact]
    public async Task A_hosts_evidence_is_kept_and_judged_offline_by_whoever_pins_whom_to_believe()
    {
        await lab.Ready();
        string bank = Owner("bank/web-1"), hospital = Owner("hospital/records-1");
        string file = Path.Combine(lab.Paths.Root, $"evidence-{Guid.NewGuid():N}"), nonce = new('7', 64);
        JsonElement fetched = await Cli.Json(
            "bank", "evidence", "fetch", Host, "--domain", "web", "-o", file, "--nonce", nonce);
        Assert.Equal("tpm", fetched.GetProperty("assurance").GetString());
        Assert.DoesNotContain(
            hospital, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        string[] pins =
        [
            "evidence", "verify", file, "--tenant", bank, "--domain", "web", "--host", Reference(), "--json",
        ];
        Assert.Equal((0, "ok"), await Judged([.. pins, "--nonce", nonce]));
        Assert.Equal((1, "reject"), await Judged([.. pins, "--nonce", new string('8', 64)]));
        Assert.Equal((1, "reject"), await Judged([.. pins.Select(word => word == bank ? hospital : word), "--nonce",
            nonce]));
        LabProgramResult shown = await Cli.Run("bank", "evidence", "show", file);
        Assert.Contains("lockdown=confidentiality", shown.Output, StringComparison.Ordinal);

        // A tenant is nobody to another's domain, and the board says who the caller is.
        Assert.NotEqual(0, (await Cli.Run(
            "hospital", "evidence", "fetch", Host, "--domain", "web", "-o", file)).ExitCode);
    }

    [Fact]
    public async Task A_tenant_sees_who_is_enrolled_and_a_host_enrols_again_when_it_is_told_to()
    {
        await lab.Ready();
        JsonElement hosts = (await Cli.Json("bank", "host", "enrol")).GetProperty("hosts");
        Assert.Equal(2, hosts.GetArrayLength());
        Assert.All(hosts.EnumerateArray(), one => Assert.Equal(
            one.GetProperty("statedTpm").GetString(), one.GetProperty("enrolledTpm").GetString()));
        Assert.Equal(0, (await Cli.Json("bank", "host", "enrol", Host)).GetProperty("doubts").GetArrayLength());
        string bank = Owner("bank/web-1"), hospital = Owner("hospital/records-1");
        await Cli.Json(WholeLab.Operator, "host", "enrol", Host, "--tenant", bank);
        LabProgramResult other = await Cli.Run("bank", "host", "enrol", Host, "--tenant", hospital);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("other-tenant", other.Error, StringComparison.Ordinal);
    }

    private async Task<(int, string?)> Judged(string[] words)
    {
        LabProgramResult result = await Cli.Run("bank", words);
        return (result.ExitCode, JsonElement.Parse(result.Output).GetProperty("verdict").GetString());
    }

    private string Owner(string machine) => lab.Reference(machine).Split('/')[0];

    private string Reference() => $"{Datacentre()}/{Host}";

    private string Datacentre() => JsonElement.Parse(File.ReadAllBytes(lab.Paths.Context("bank")))
        .GetProperty("datacentre").GetString() ?? "";
}
