using System.Text;
using System.Text.Json;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>A key for a host with a TPM needs what only that TPM gives out, and the session that asked.</summary>
public sealed class TpmPartTests : IDisposable
{
    private static readonly SoftwareTpm Tpm = new();
    private readonly DeskBench _bench = new();

    public TpmPartTests()
    {
        _bench.Enrolments.Keep(Tpm.Enrol(ReleaseScene.Bank, ReleaseScene.HostName(1)));
        _bench.Lend(1);
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_key_for_a_host_with_a_TPM_opens_with_what_that_TPM_gives_out_and_with_nothing_else()
    {
        Demand("software-tpm");
        using SessionKey session = SessionKey.Create();
        SealedKeyBody body = await Ask(session, Tpm);
        SealedKey made = Read(body);
        TpmDelivery delivery = Delivery(body);
        using SecretBytes part = Part(Tpm.Import(delivery.Import));
        using SecretBytes wrong = SecretBytes.Random(part.Length);
        using SecretBytes? opened = session.Open(made, part);
        Assert.NotNull(opened);
        Assert.Null(session.Open(made));
        Assert.Null(session.Open(made, wrong));
        using SessionKey other = SessionKey.Create();
        Assert.Null(other.Open(made, part));
    }

    [Fact]
    public async Task The_part_is_wrapped_for_that_TPM_and_its_state_and_this_release()
    {
        Demand("software-tpm");
        using SessionKey session = SessionKey.Create();
        TpmDelivery first = Delivery(await Ask(session, Tpm));
        TpmDelivery second = Delivery(await Ask(session, Tpm));
        Assert.NotNull(Tpm.Import(first.Import));
        Assert.Null(new SoftwareTpm().Import(first.Import));
        Assert.NotEqual(first.Purpose, second.Purpose);
        foreach (TpmDelivery one in new[] { first, second })
        {
            // What the TPM will compute when it opens: approved by the key service, for this very context.
            Assert.Equal(
                PolicyDigest.ApprovedBy(Bailiwick.Attestation.Tpm.TpmHash.Sha256, one.Signer.Name, one.Purpose.Bytes)
                    .Bytes.ToArray(),
                one.Import.Public.Policy.ToArray());
            Assert.Equal(TpmDelivery.AreaOf(DeskBench.ServiceKey), one.Signer);
        }
    }

    [Fact]
    public async Task A_host_without_a_TPM_gets_a_key_without_a_part_where_its_domain_is_content_with_that()
    {
        using SessionKey session = SessionKey.Create();
        SealedKeyBody body = await Ask(session, null);
        Assert.Null(body.Tpm);
        using SecretBytes? opened = session.Open(Read(body));
        Assert.NotNull(opened);
    }

    private void Demand(string level) => _bench.Snapshot = _bench.Snapshot with
    {
        Datacentre = ReleaseScene.Policies
            .With("bank/web.yaml", "  assurance: [software]\n", $"  assurance: [{level}]\n")
            .With("alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {Tpm.EndorsementId.Hex}}}\n")
            .With("alpine/hosts.yaml", "assurance: software\n", "assurance: tpm\n")
            .Check().Datacentre,
    };

    private async Task<SealedKeyBody> Ask(SessionKey session, SoftwareTpm? tpm)
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
            _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host1)));
        ReleaseScene scene = new()
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce),
            Session = session.PublicKey,
            EndorsementKey = tpm?.EndorsementKey,
            Evidence = claims => tpm is null ? claims : claims.With(tpm),
        };
        var answer = await _bench.Desk.Release(
            DeskBench.Call(ReleaseScene.Host1),
            new ReleaseBody(JsonElement.Parse(scene.Request()), "", "", _bench.ShownLog, null));
        return Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(answer).Value;
    }

    private static SealedKey Read(SealedKeyBody body) => new(
        Convert.FromBase64String(body.Ephemeral), Convert.FromBase64String(body.Ciphertext),
        Encoding.UTF8.GetBytes(body.Context));

    private static TpmDelivery Delivery(SealedKeyBody body) =>
        body.Tpm is { } shown && TpmDelivery.Read(shown, Digest32.Of(Encoding.UTF8.GetBytes(body.Context))) is { } read
            ? read
            : throw new InvalidOperationException("no delivery");

    private static SecretBytes Part(byte[]? secret) =>
        SecretBytes.Take(secret ?? throw new InvalidOperationException("not for this TPM"));
}
