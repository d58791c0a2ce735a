using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sharing;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Keyring;

/// <summary>k shares give the key, and nothing less, nothing mixed and nothing changed does.</summary>
public sealed class KeyShareTests
{
    private static readonly PartyId Bank = PartyId.Unsigned("bank");

    // Source: codahale/shamir, GF256Test (Apache-2.0); the product with 0xb6 is of the FIPS 197 field's literature.
    [Theory]
    [InlineData(90, 21, 254)]
    [InlineData(133, 5, 167)]
    [InlineData(0, 21, 0)]
    [InlineData(0xb6, 0x53, 0x36)]
    [InlineData(0x57, 0x83, 0xc1)]
    public void Multiplies_as_published(byte left, byte right, byte product) =>
        Assert.Equal(product, ByteField.Multiply(left, right));

    [Theory]
    [InlineData(90, 21, 189)]
    [InlineData(6, 55, 151)]
    [InlineData(22, 192, 138)]
    [InlineData(0, 192, 0)]
    public void Divides_as_published(byte left, byte right, byte quotient) =>
        Assert.Equal(quotient, ByteField.Multiply(left, ByteField.Invert(right)));

    [Theory]
    [InlineData(1, 2, 3, 0)]
    [InlineData(80, 90, 20, 30)]
    [InlineData(43, 22, 86, 107)]
    public void Joins_points_as_published(byte one, byte two, byte three, byte secret)
    {
        (byte, SecretBytes)[] points =
            [(1, Masters.Secret([one])), (2, Masters.Secret([two])), (3, Masters.Secret([three]))];
        using SecretBytes joined = SecretSharing.Join(points);
        Assert.Equal([secret], Masters.Bytes(joined));
    }

    [Fact]
    public void The_field_has_inverses()
    {
        Assert.Equal(0, ByteField.Invert(0));
        for (int value = 1; value < 256; value++)
        {
            Assert.Equal(1, ByteField.Multiply((byte)value, ByteField.Invert((byte)value)));
        }
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 5)]
    [InlineData(16, 16)]
    public void Any_k_shares_restore_the_key_exactly(int threshold, int count)
    {
        using MasterKey key = MasterKey.Make(Bank, 4);
        KeyShare[] shares = Split(key, threshold, count);
        for (int skip = 0; skip + threshold <= count; skip++)
        {
            AssertRestores(key, shares.Skip(skip).Take(threshold));
            AssertRestores(key, shares.Skip(skip).Take(threshold).Reverse());
        }

        AssertRestores(key, shares);
    }

    [Fact]
    public void Fewer_than_k_shares_leave_every_value_of_every_byte_possible()
    {
        using MasterKey key = MasterKey.Make(Bank, 1);
        KeyShare[] shares = Split(key, 3, 5);
        byte[] one = Masters.Bytes(shares[0].Bytes), two = Masters.Bytes(shares[3].Bytes);
        for (int at = 0; at < one.Length; at++)
        {
            // For each value that the third share could have here, the two that are known give another secret.
            HashSet<byte> possible = [];
            for (int third = 0; third < 256; third++)
            {
                using SecretBytes joined = SecretSharing.Join(
                    [(1, Masters.Secret([one[at]])), (4, Masters.Secret([two[at]])),
                        (5, Masters.Secret([(byte)third]))]);
                possible.Add(Masters.Bytes(joined)[0]);
            }

            Assert.Equal(256, possible.Count);
        }
    }

    [Fact]
    public void Each_time_a_key_is_shared_out_the_shares_are_others()
    {
        using MasterKey key = MasterKey.Make(Bank, 1);
        byte[] first = Masters.Bytes(Split(key, 2, 2)[0].Bytes), second = Masters.Bytes(Split(key, 2, 2)[0].Bytes);
        Assert.NotEqual(first, second);
        Assert.NotEqual(Masters.Bytes(key.Secret), first);
    }

    [Fact]
    public void Refuses_fewer_shares_than_needed()
    {
        using MasterKey key = MasterKey.Make(Bank, 1);
        KeyShare[] shares = Split(key, 3, 5);
        AssertRestores(key, shares.Take(3));
        AssertRefused(ShareRefusalCode.TooFew, shares.Take(2));
        AssertRefused(ShareRefusalCode.TooFew, shares.Take(0));
    }

    [Fact]
    public void Refuses_the_same_share_twice()
    {
        using MasterKey key = MasterKey.Make(Bank, 1);
        KeyShare[] shares = Split(key, 2, 3);
        AssertRestores(key, [shares[0], shares[1]]);
        AssertRefused(ShareRefusalCode.SameIndex, [shares[0], shares[0]]);
    }

    [Fact]
    public void Refuses_shares_of_two_occasions_of_two_generations_or_of_two_keys()
    {
        using MasterKey key = MasterKey.Make(Bank, 1), newer = MasterKey.Make(Bank, 2), other = MasterKey.Make(Bank, 1);
        KeyShare mine = Split(key, 2, 3)[0];
        foreach (MasterKey one in new[] { key, newer, other })
        {
            AssertRefused(ShareRefusalCode.OtherSet, [mine, Split(one, 2, 3)[1]]);
        }

        AssertRefused(ShareRefusalCode.OtherSet, [mine, Split(key, 2, 4)[1]]);
    }

    [Fact]
    public void Refuses_shares_of_another_tenant()
    {
        using MasterKey theirs = MasterKey.Make(PartyId.Unsigned("hospital"), 1), ours = MasterKey.Make(Bank, 1);
        AssertRefused(ShareRefusalCode.OtherTenant, Split(theirs, 2, 2));
        AssertRefused(ShareRefusalCode.OtherTenant, [Split(ours, 2, 2)[0], Split(theirs, 2, 2)[1]]);
    }

    [Fact]
    public void Refuses_a_share_with_any_byte_changed_or_cut()
    {
        using MasterKey key = MasterKey.Make(Bank, 1);
        byte[] good = Split(key, 2, 2)[0].Write();
        Assert.NotNull(KeyShare.Read(good));
        for (int at = 0; at < good.Length; at++)
        {
            byte[] changed = [.. good];
            changed[at] ^= 1;
            Assert.Null(KeyShare.Read(changed));
            Assert.Null(KeyShare.Read(good.AsSpan(0, at)));
        }

        AssertRefused(ShareRefusalCode.Damaged, [("a", KeyShare.Read(good)), ("b", null)]);
    }

    [Fact]
    public void Refuses_shares_that_were_forged_to_give_another_key()
    {
        // A forger can make a good check; the key's id is what cannot be met.
        using MasterKey key = MasterKey.Make(Bank, 1), other = MasterKey.Make(Bank, 1);
        KeyShare honest = Split(key, 2, 2)[0], forged = Split(other, 2, 2)[1];
        JsonObject lie = Parsed(forged.Write());
        lie["master"] = honest.Origin.Master.Hex;
        lie["set"] = honest.Origin.Set;
        lie.Remove("check");
        byte[] label = [.. "bailiwick master key share check v1\0"u8];
        lie["check"] = Bailiwick.Ledger.Digest32.Of([.. label, .. Canonical(lie)]).Hex;
        AssertRefused(ShareRefusalCode.NotTheKey, [("a", honest), ("b", KeyShare.Read(Canonical(lie)))]);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(0, 3)]
    [InlineData(4, 3)]
    [InlineData(2, 17)]
    public void Refuses_to_share_out_so_that_one_is_enough_or_all_are_too_few(int threshold, int count)
    {
        using MasterKey key = MasterKey.Make(Bank, 1);
        Assert.Throws<KeyringException>(() => KeyShare.Split(key, threshold, count));
    }

    private static KeyShare[] Split(MasterKey key, int threshold, int count) =>
        [.. KeyShare.Split(key, threshold, count).Select(share => KeyShare.Read(share.Write())
            ?? throw new InvalidOperationException("a share cannot be read again"))];

    private static void AssertRestores(MasterKey key, IEnumerable<KeyShare> shares)
    {
        var restored = Assert.IsType<ShareVerdict.Restored>(ShareVerdict.Of(Named(shares), Bank));
        Assert.True(restored.Key.Secret.HasSameBytesAs(key.Secret));
        Assert.Equal((key.Id, key.Generation), (restored.Key.Id, restored.Key.Generation));
        restored.Key.Dispose();
    }

    private static void AssertRefused(ShareRefusalCode code, IEnumerable<KeyShare> shares) =>
        AssertRefused(code, Named(shares));

    private static void AssertRefused(ShareRefusalCode code, (string, KeyShare?)[] shares)
    {
        var refused = Assert.IsType<ShareVerdict.Refused>(ShareVerdict.Of(shares, Bank));
        Assert.All(refused.Refusals, refusal => Assert.Equal(code, refusal.Code));
        Assert.All(refused.Refusals, refusal => Assert.NotEmpty(refusal.Sentence));
    }

    private static (string, KeyShare?)[] Named(IEnumerable<KeyShare> shares) =>
        [.. shares.Select((share, at) => ($"share-{at}", (KeyShare?)share))];

    private static JsonObject Parsed(byte[] document) => Assert.IsType<JsonObject>(JsonNode.Parse(document));

    private static byte[] Canonical(JsonObject value) => CanonicalJson.Write(JsonSerializer.SerializeToElement(value));
}
