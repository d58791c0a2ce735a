using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// Who must sign what: random roots, policies and signers, each judged by the product as a naive rule judges them, and
/// otherwise than rules that have it wrong.
/// </summary>
public sealed class ApprovalAgreementTests
{
    private const int Draws = 300;
    private static readonly Digest32 Serial = Digest32.Of("key"u8);
    private static readonly KeyNonce Nonce = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();
    private static readonly DomainRef Web = new(ReleaseScene.Bank, StatementName.Parse("web"));
    private static readonly KeySubject Volume =
        new KeySubject.Volume(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data")));

    private static readonly Dictionary<(int, int), Signatory> Roots = [];

    private static readonly (string What, Func<Case, bool> Says)[] WrongRules =
    [
        ("who lists no approvals allows everybody", one => one with
        {
            Takeover = one.Takeover ?? 1, Destroy = one.Destroy ?? 1,
        } is var other && Approves(other)),
        ("as many sign as for the root", one =>
            Approves(one with { Takeover = one.Threshold, Destroy = one.Threshold })),
        ("one is enough for all keys", one => Approves(one with { Threshold = 1 })),
        ("to destroy needs what to take over needs", one => Approves(one with { Destroy = one.Takeover })),
        ("one fewer is enough", one => Approves(one with { Signers = one.Signers + 1 }) && one.Signers > 0),
        ("a stranger's signature does not matter", one => Approves(one with { WithStranger = false })),
    ];

    /// <summary>What is to be done.</summary>
    private enum Act
    {
        /// <summary>Take a volume from its holder.</summary>
        Takeover = 1,
        /// <summary>Destroy a volume's key.</summary>
        Key,
        /// <summary>Destroy a domain's keys.</summary>
        Domain,
        /// <summary>Destroy all keys of a tenant.</summary>
        All,
    }

    /// <summary>Who signs what under which policy.</summary>
    private sealed record Case(
        Act Act, int Keys, int Threshold, int? Takeover, int? Destroy, int Signers, bool WithStranger);

    [Fact]
    public void As_many_root_keys_as_the_policy_asks_approve_and_no_other_rule_says_the_same()
    {
        var random = new Random(1);
        var (approved, refused, wrong) = (0, 0, WrongRules.Select(rule => rule.What).ToHashSet());
        for (int draw = 0; draw < Draws; draw++)
        {
            Case drawn = Draw(random);
            bool says = Decides(drawn);
            Assert.True(says == Approves(drawn), $"{drawn}: the product says {says}");
            (approved, refused) = says ? (approved + 1, refused) : (approved, refused + 1);
            wrong.ExceptWith(WrongRules.Where(rule => rule.Says(drawn) != says).Select(rule => rule.What));
        }

        Assert.True(approved > 50 && refused > 50, $"{approved} approved, {refused} refused");
        Assert.Empty(wrong);
    }

    /// <summary>
    /// The domain's policy says how many root keys must sign, nobody may where it says nothing, and all keys of a
    /// tenant go by its root's own threshold; one signature of anybody else spoils it.
    /// </summary>
    private static bool Approves(Case one) => !one.WithStranger && (one.Act switch
    {
        Act.Takeover => one.Takeover,
        Act.Key or Act.Domain => one.Destroy,
        Act.All => one.Threshold,
        _ => throw new System.Diagnostics.UnreachableException(),
    }) is { } asked && one.Signers >= asked;

    private static Case Draw(Random random)
    {
        int keys = random.Next(1, 5);
        return new Case(
            (Act)random.Next(1, 5), keys, random.Next(1, keys + 1), Asked(), Asked(), random.Next(0, keys + 1),
            random.Next(8) == 0);

        int? Asked() => random.Next(4) == 0 ? null : random.Next(1, keys + 1);
    }

    private static bool Decides(Case one)
    {
        Signatory signatory = Root(one.Keys, one.Threshold);
        var book = Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(signatory.Root())).Next;
        RootKeys root = book.RootInForce(signatory.Id)?.Keys ?? throw new InvalidOperationException();
        EcdsaSigner[] signers =
        [
            .. signatory.Keys.Take(one.Signers),
            .. one.WithStranger ? [ReleaseScene.Stranger] : Array.Empty<EcdsaSigner>(),
        ];
        CheckedDatacentre datacentre = Policies(one);
        if (one.Act == Act.Takeover)
        {
            HolderDocument.Takeover asked = HolderDocument.ReadTakeover(
                HolderDocument.WriteTakeover(Volume, ReleaseScene.HostOf(1), Nonce, signers), out string why)
                ?? throw new InvalidOperationException(why);
            return HolderControl.Decide(asked, datacentre, root, new KeyCustody(
                ReleaseScene.Bank, ReleaseScene.Stranger.Id, NonceStanding.Unknown, ReleaseScene.HeldBy(1, Nonce),
                (_, _) => "holders need no lease")) is HolderVerdict.Cleared;
        }

        DestroySubject subject = one.Act switch
        {
            Act.Key => new DestroySubject.OfKey(Volume),
            Act.Domain => new DestroySubject.OfDomain(Web),
            _ => new DestroySubject.OfAll(ReleaseScene.Bank),
        };
        DestroyDocument document = DestroyDocument.Read(
            DestroyDocument.Write(subject, Serial, signers), out string fault)
            ?? throw new InvalidOperationException(fault);
        return DestroyControl.Decide(
            document, datacentre, root, new DestroyCustody(ReleaseScene.Bank, Serial, Web)) is DestroyVerdict.Approved;
    }

    private static CheckedDatacentre Policies(Case one)
    {
        string[] asked =
        [
            .. one.Takeover is { } takeover ? [FormattableString.Invariant($"takeover: {takeover}")]
                : Array.Empty<string>(),
            .. one.Destroy is { } destroy ? [FormattableString.Invariant($"destroy: {destroy}")]
                : Array.Empty<string>(),
        ];
        return new ReleaseScene
        {
            Example = ReleaseScene.Policies.With(
                "bank/web.yaml", "approvals: {takeover: 1}", $"approvals: {{{string.Join(", ", asked)}}}"),
        }.Datacentre;
    }

    private static Signatory Root(int keys, int threshold) => Roots.TryGetValue((keys, threshold), out var known)
        ? known : Roots[(keys, threshold)] = new Signatory(StatementKind.Tenant, "bank", keys, threshold);
}
