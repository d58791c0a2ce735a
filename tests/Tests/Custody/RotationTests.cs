using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Custody;

/// <summary>Replacing root keys.</summary>
public sealed class RotationTests : IDisposable
{
    private readonly SigningScene _scene = new();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(3, 3)]
    public void The_old_threshold_signs_the_new_root_and_the_chain_replays(int keys, int threshold)
    {
        PublicKey old = Begin(keys, threshold).Roots[0];

        VerifiedStatement root = _scene.Rotate("bank", 1);

        IReadOnlyList<VerifiedRoot> chain = _scene.Replay("bank").Roots(root.Owner);
        Assert.Equal([1L, 2L], chain.Select(r => r.Statement.Revision));
        Assert.True(root.SignedBy.Count(id => chain[0].Keys.Find(id) is not null) >= threshold);
        Assert.True(root.SignedBy.Count(id => chain[1].Keys.Find(id) is not null) >= threshold);
        Assert.Null(chain[1].Keys.Find(old.Id));
        Assert.Equal(keys, chain[1].Keys.Keys.Length);
        Assert.False(File.Exists(Path.Combine(_scene.Keys("bank"), "root-1.pem")));
        Assert.True(File.Exists(Path.Combine(_scene.Keys("bank"), "retired-root-1.pem")));
    }

    [Fact]
    public void The_replaced_key_no_longer_counts()
    {
        Begin(3, 2);
        IReadOnlyList<EcdsaSigner> before;
        using (PartyDirectory keys = _scene.Open("bank"))
        {
            before = keys.OpenRoots(3);
        }

        VerifiedStatement root = _scene.Rotate("bank", 1);
        using PartyDirectory after = _scene.Open("bank");
        IReadOnlyList<EcdsaSigner> now = after.OpenRoots(3);
        byte[] payload = StatementPayload.Compose(StatementKind.Volume, root.Owner, StatementName.Parse("data"), 1,
            null, DateTimeOffset.UnixEpoch, System.Text.Json.JsonElement.Parse("{}"));
        StatementBook book = _scene.Replay("bank");

        Assert.IsType<StatementVerdict.Refused>(book.Consider(EnvelopeWriter.Sign(payload, before[0], before[1])));
        Assert.DoesNotContain(before[0].Id, now.Select(k => k.Id));
        Assert.IsType<StatementVerdict.Accepted>(book.Consider(EnvelopeWriter.Sign(payload, now[0], now[1])));
    }

    [Fact]
    public void All_keys_can_be_replaced_one_after_the_other()
    {
        Begin(3, 2);
        PartyId id = _scene.Rotate("bank", 1).Owner;
        _scene.Rotate("bank", 2);
        _scene.Rotate("bank", 3);
        VerifiedStatement last = _scene.Rotate("bank", 4);

        Assert.Equal((id, 5L), (last.Owner, last.Revision));
        Assert.Equal(5, _scene.Replay("bank").Roots(id).Count);
        Assert.DoesNotContain(_scene.Sign("bank"), s => s.Kind.IsRoot());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    public void A_desk_that_died_before_it_signed_completes_the_change_when_it_signs_again(int keys, int threshold)
    {
        Begin(keys, threshold);
        using (PartyDirectory dying = _scene.Open("bank"))
        {
            dying.ReplaceRoot(1);
        }

        Assert.Contains("any more", Assert.Throws<CustodyException>(() => _scene.Rotate("bank", 1)).Message,
            StringComparison.Ordinal);

        VerifiedStatement root = Assert.Single(_scene.Sign("bank"), s => s.Kind.IsRoot());

        Assert.Equal(2, root.Revision);
        using PartyDirectory after = _scene.Open("bank");
        Assert.Equal(after.Facts.Roots, _scene.Replay("bank").RootInForce(root.Owner)?.Keys.Keys);
        Assert.DoesNotContain(_scene.Sign("bank"), s => s.Kind.IsRoot());
    }

    [Fact]
    public void A_key_that_was_made_and_never_noted_stands_in_nobodys_way()
    {
        Begin(1, 1);
        string facts = Path.Combine(_scene.Keys("bank"), PartyDirectory.FactsFile);
        byte[] before = File.ReadAllBytes(facts);
        using (PartyDirectory dying = _scene.Open("bank"))
        {
            dying.ReplaceRoot(1);
        }

        File.WriteAllBytes(facts, before);

        Assert.DoesNotContain(_scene.Sign("bank"), s => s.Kind.IsRoot());
        Assert.Equal(2, _scene.Rotate("bank", 1).Revision);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(-1)]
    public void A_root_key_that_is_not_there_cannot_be_replaced(int number)
    {
        PartyFacts before = Begin(3, 2);

        Assert.Contains($"root-{number}.pem is missing",
            Assert.Throws<CustodyException>(() => _scene.Rotate("bank", number)).Message, StringComparison.Ordinal);

        using PartyDirectory after = _scene.Open("bank");
        Assert.Equal(before.Roots, after.Facts.Roots);
    }

    [Fact]
    public void A_party_without_a_signed_root_has_nothing_to_replace()
    {
        _scene.Create("bank").Dispose();

        Assert.Contains("has no root of bank",
            Assert.Throws<CustodyException>(() => _scene.Rotate("bank", 1)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_scene.Keys("bank"), "root-4.pem")));
    }

    public void Dispose() => _scene.Dispose();

    /// <summary>A bank with a signed root, whose policies name nobody else.</summary>
    private PartyFacts Begin(int keys, int threshold)
    {
        foreach (string file in new[] { "ledger.yaml", "web.yaml" })
        {
            File.Delete(Path.Combine(_scene.Policies, "bank", file));
        }

        using PartyDirectory party = _scene.Create("bank", keys, threshold);
        using StatementFolder folder = _scene.Folder("bank");
        Assert.NotNull(_scene.Desk.SignRoot(party, folder, _scene.Facts, DateTimeOffset.UnixEpoch));
        return party.Facts;
    }
}
