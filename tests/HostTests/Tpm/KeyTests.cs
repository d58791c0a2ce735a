using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;

namespace Bailiwick.HostTests.Tpm;

/// <summary>Endorsement and attestation keys, with tpm2-tools as the oracle.</summary>
public sealed class KeyTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>
{
    private static readonly byte[] Nonce = [0xc0, 0xff, 0xee, 0, 1, 2, 3, 4];

    [Fact]
    public void The_vendors_certificate_is_for_the_endorsement_key()
    {
        using var open = tpm.Open();
        var key = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        var der = key.ReadCertificate();
        Assert.NotNull(der);
        using var certificate = X509CertificateLoader.LoadCertificate(der.Value.Span);
        Assert.Equal(der.Value.ToArray(), certificate.RawData);
        using var certified = certificate.GetRSAPublicKey();
        Assert.NotNull(certified);
        Assert.Equal(key.Public.Write()[^256..], certified.ExportParameters(false).Modulus);
        using var root = X509CertificateLoader.LoadCertificateFromFile(tpm.RootsFile);
        using var between = X509CertificateLoader.LoadCertificateFromFile(tpm.IntermediatesFile);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.ExtraStore.Add(between);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;

        // The subject alternative name names the TPM's model, is critical, and .NET does not read it.
        chain.Build(certificate);
        Assert.DoesNotContain(
            chain.ChainStatus, one => one.Status != X509ChainStatusFlags.HasNotSupportedCriticalExtension);
        Assert.Equal(root.RawData, chain.ChainElements[^1].Certificate.RawData);
    }

    [Fact]
    public void The_P256_endorsement_key_is_made_and_has_no_certificate_here()
    {
        using var open = tpm.Open();
        var key = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.EccP256);
        Assert.Null(key.ReadCertificate());
        Assert.Equal(key.Name, EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.EccP256).Name);
    }

    [Fact]
    public async Task An_attestation_keys_quote_is_accepted_by_tpm2_checkquote()
    {
        await WriteQuote();
        await tpm.Tool("tpm2_readpublic", "-c", $"0x{AttestationKey.DefaultHandle:x}", "-f", "pem", "-o",
            tpm.PathOf("ak.pem"));
        string[] check =
        [
            "tpm2_checkquote", "-u", tpm.PathOf("ak.pem"), "-m", tpm.PathOf("attest"), "-s", tpm.PathOf("signature"),
            "-g", "sha256", "-q",
        ];
        await tpm.Tool([.. check, Convert.ToHexString(Nonce)]);

        // The oracle refuses another nonce and a changed quote.
        Assert.NotEqual(0, (await tpm.ToolResult([.. check, "c0ffee0001020305"])).ExitCode);
        var attest = await File.ReadAllBytesAsync(tpm.PathOf("attest"));
        attest[^1] ^= 1;
        await File.WriteAllBytesAsync(tpm.PathOf("attest"), attest);
        Assert.NotEqual(0, (await tpm.ToolResult([.. check, Convert.ToHexString(Nonce)])).ExitCode);
    }

    [Fact]
    public async Task Opens_a_credential_that_tpm2_makecredential_made()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var (name, _) = await Names();
        var credential = await MakeCredential(secret, name);
        using var open = tpm.Open();
        var key = AttestationKey.OpenOrCreate(open);
        var endorsement = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        Assert.Equal(secret, key.Activate(endorsement, credential, static lent => lent.ToArray()));
    }

    [Fact]
    public async Task Refuses_a_credential_for_another_name_or_a_changed_one()
    {
        var (name, other) = await Names();
        Assert.NotEqual(name, other);
        var forOther = await MakeCredential(new byte[32], other);
        var foreign = await MakeCredential(new byte[32], name, ForeignKey());
        var mine = await MakeCredential(new byte[32], name);
        var changed = mine.Blob.ToArray();
        changed[^1] ^= 1;
        using var open = tpm.Open();
        var key = AttestationKey.OpenOrCreate(open);
        var endorsement = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        foreach (var wrong in new[] { forOther, foreign, mine with { Blob = changed } })
        {
            var fault = Assert.Throws<TpmException>(() => key.Activate(endorsement, wrong, static lent => lent.Length));
            Assert.Equal(AccessFault.NotForThisTpm, fault.Fault);
        }

        Assert.Equal(32, key.Activate(endorsement, mine, static lent => lent.Length));
    }

    [Fact]
    public void An_attestation_key_is_loaded_from_its_blobs_and_from_no_others()
    {
        using var open = tpm.Open();
        var parent = StorageKey.OpenOrCreate(open);
        var blobs = AttestationKey.Create(parent);
        var key = AttestationKey.FromBlobs(parent, blobs);
        Assert.Equal(blobs.Public.ToArray(), key.Public.Write());
        Assert.NotEmpty(key.Quote(PrivateSwtpm.AllPcrs, Nonce).Signature.ToArray());
        var changed = blobs.Private.ToArray();
        changed[^1] ^= 1;
        Assert.Equal(AccessFault.NotForThisTpm, Assert.Throws<TpmException>(
            () => AttestationKey.FromBlobs(parent, blobs with { Private = changed })).Fault);
        Assert.Equal(AccessFault.BadInput, Assert.Throws<TpmException>(
            () => AttestationKey.FromBlobs(parent, blobs with { Public = parent.Public.Write() })).Fault);
        Assert.Equal(AccessFault.BadInput, Assert.Throws<TpmException>(
            () => key.Quote(PrivateSwtpm.AllPcrs, new byte[AccessLimits.ExtraDataBytes + 1])).Fault);
    }

    [Fact]
    public async Task Refuses_a_handle_where_something_else_lies()
    {
        await tpm.Tool("tpm2_createprimary", "-C", "o", "-c", tpm.PathOf("other.ctx"));
        await tpm.Tool("tpm2_evictcontrol", "-C", "o", "-c", tpm.PathOf("other.ctx"), "0x81010030");
        await tpm.Tool("tpm2_flushcontext", "-t");
        using var open = tpm.Open();
        var fault = Assert.Throws<TpmException>(() => AttestationKey.OpenOrCreate(open, 0x81010030));
        Assert.Equal(AccessFault.Occupied, fault.Fault);
        Assert.Throws<ArgumentOutOfRangeException>(() => AttestationKey.OpenOrCreate(open, 0x40000001));
    }

    private async Task WriteQuote()
    {
        using var open = tpm.Open();
        var quote = AttestationKey.OpenOrCreate(open)
            .Quote(PcrSelection.Of(TpmHash.Sha256, 0, 7, 15), Nonce);
        await File.WriteAllBytesAsync(tpm.PathOf("attest"), quote.Message.ToArray());
        await File.WriteAllBytesAsync(tpm.PathOf("signature"), quote.Signature.ToArray());
    }

    private async Task<(string Key, string Other)> Names()
    {
        using var open = tpm.Open();
        var endorsement = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        var area = endorsement.Public.Write();
        await File.WriteAllBytesAsync(
            tpm.PathOf("ek.pub"), [(byte)(area.Length >> 8), (byte)area.Length, .. area]);
        return (AttestationKey.OpenOrCreate(open).Name.Hex, endorsement.Name.Hex);
    }

    /// <summary>The endorsement key of a TPM that is not here: this one's template with another modulus.</summary>
    private string ForeignKey()
    {
        using var other = RSA.Create(2048);
        var area = File.ReadAllBytes(tpm.PathOf("ek.pub"));
        (other.ExportParameters(false).Modulus ?? []).CopyTo(area.AsSpan()[^256..]);
        File.WriteAllBytes(tpm.PathOf("foreign.pub"), area);
        return "foreign.pub";
    }

    private async Task<TpmCredential> MakeCredential(byte[] secret, string name, string key = "ek.pub")
    {
        await File.WriteAllBytesAsync(tpm.PathOf("secret"), secret);
        await tpm.Tool("tpm2_makecredential", "-u", tpm.PathOf(key), "-s", tpm.PathOf("secret"), "-n", name,
            "-o", tpm.PathOf("credential"));

        // The tool's file: magic (4), version (4), then the two sized buffers.
        var file = await File.ReadAllBytesAsync(tpm.PathOf("credential"));
        var blob = file.AsMemory(10, (file[8] << 8) | file[9]);
        return new TpmCredential(blob, file.AsMemory(12 + blob.Length));
    }
}
