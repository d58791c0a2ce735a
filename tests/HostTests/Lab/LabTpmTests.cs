using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Lab.Hosts;
using Bailiwick.Tests.Tidy;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;

namespace Bailiwick.HostTests.Lab;

[Collection(LabCollection.Name)]
public sealed class LabTpmTests(LabFixture fixture)
{
    [Fact]
    public void Each_host_has_a_TPM_of_its_own_from_the_labs_vendor()
    {
        using var vendor = LabTpmVendor.Of(fixture.Lab.Options.Directory);
        using var root = X509CertificateLoader.LoadCertificateFromFile(vendor.RootsFile);
        Assert.Equal(root.Subject, root.Issuer);
        using var between = X509CertificateLoader.LoadCertificateFromFile(vendor.IntermediatesFile);
        Assert.Equal(root.Subject, between.Issuer);
        var keys = fixture.Lab.Hosts.Select(host =>
        {
            using var tpm = TpmConnection.Open(host.Tpm.Address);
            var key = EndorsementKey.OpenOrCreate(tpm, EndorsementAlgorithm.Rsa2048);
            var der = key.ReadCertificate();
            Assert.NotNull(der);
            using var certificate = X509CertificateLoader.LoadCertificate(der.Value.Span);
            Assert.Equal(between.Subject, certificate.Issuer);
            using var certified = certificate.GetRSAPublicKey();
            Assert.Equal(key.Public.Write()[^256..], certified?.ExportParameters(false).Modulus);
            return key.Name.Hex;
        }).ToList();
        Assert.Equal(2, keys.Distinct().Count());
        Assert.All(fixture.Lab.Hosts, host => Assert.StartsWith(
            fixture.Lab.Options.Directory, host.Tpm.StateDirectory, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_boot_of_measurements_gives_their_PCRs_and_keeps_the_keys()
    {
        var host = fixture.Lab.Hosts[0];
        var before = Name(host);
        List<PcrMeasurement> boot =
        [
            .. Enumerable.Range(0, 40)
                .Select(i => new PcrMeasurement(i % 10, TpmHash.Sha256, SHA256.HashData([(byte)i]))),
        ];
        for (var time = 0; time < 2; time++)
        {
            await host.Tpm.Boot(boot, TestContext.Current.CancellationToken);
            var expected = Enumerable.Range(0, 24).ToDictionary(
                pcr => pcr, pcr => pcr is >= 17 and <= 22 ? Enumerable.Repeat((byte)0xff, 32).ToArray() : new byte[32]);
            foreach (var (pcr, _, digest) in boot)
            {
                expected[pcr] = SHA256.HashData([.. expected[pcr], .. digest.ToArray()]);
            }

            using var tpm = TpmConnection.Open(host.Tpm.Address);
            var values = new PcrRegisters(tpm).Read(PcrSelection.Of(TpmHash.Sha256, Enumerable.Range(0, 24))).Values;
            Assert.All(expected, one => Assert.Equal(one.Value, values.Find(TpmHash.Sha256, one.Key)?.ToArray()));
        }

        Assert.Equal(before, Name(host));
        var wrong = await Assert.ThrowsAsync<TpmException>(() => host.Tpm.Boot(
            [.. boot, new PcrMeasurement(0, TpmHash.Sha1, new byte[20])], TestContext.Current.CancellationToken));
        Assert.Equal(AccessFault.Unsupported, wrong.Fault);
    }

    [Theory]
    [InlineData("go-attestation__ubuntu_2104_shielded_vm_no_secure_boot_eventlog")]
    [InlineData("tpm2-tools__event-sd-boot-fedora37.bin")]
    [InlineData("go-attestation__crypto_agile_eventlog")]
    public async Task A_genuine_boot_log_replayed_into_it_explains_its_quote(string file)
    {
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Checkout.Root, "tests/Vectors/bootlogs", file));
        var log = Assert.IsType<BootLogReading.Understood>(MeasuredBoot.Read(bytes)).Log;
        var host = fixture.Lab.Hosts[0];
        await host.Tpm.Boot(log, TestContext.Current.CancellationToken);
        using var tpm = TpmConnection.Open(host.Tpm.Address);
        var quote = AttestationKey.OpenOrCreate(tpm).Quote(PcrSelection.Of(TpmHash.Sha256, 0, 4, 7), [1]);
        var replay = BootReplay.Of(log, TpmHash.Sha256);
        Assert.All(quote.Values.All, one => Assert.Equal(replay.Value(one.Register).ToArray(), one.Value.ToArray()));
    }

    [Fact]
    public async Task The_socket_is_there_inside_the_host_and_the_TPM_ends_when_told()
    {
        var host = fixture.Lab.Hosts[1];
        var running = host.Tpm.Running;
        Assert.NotNull(running);
        await host.Must("test", "-S", LabTpm.Socket);
        Assert.True(System.Text.Encoding.UTF8.GetByteCount(host.Tpm.Address.Path) <= AccessLimits.SocketPathBytes);
        await host.Tpm.Stop(TestContext.Current.CancellationToken);
        Assert.Null(host.Tpm.Running);
        Assert.False(running.IsAlive);
        Assert.Equal(
            AccessFault.Absent, Assert.Throws<TpmException>(() => TpmConnection.Open(host.Tpm.Address)).Fault);
        await host.Tpm.Boot([], TestContext.Current.CancellationToken);
        Assert.NotNull(host.Tpm.Running);
    }

    private static string Name(LabHost host)
    {
        using var tpm = TpmConnection.Open(host.Tpm.Address);
        return AttestationKey.OpenOrCreate(tpm).Name.Hex;
    }
}
