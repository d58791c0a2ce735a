using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;

namespace Bailiwick.Tests.Custody;

/// <summary>Root keys that stay in a token.</summary>
public sealed class TokenRootTests : IDisposable
{
    private readonly SigningScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void A_tokens_key_takes_a_root_keys_place_and_signs_from_then_on()
    {
        Begin(1, 1);
        TokenReference token = TokenReference.Of(SoftToken.Bank.Key("root"), SoftToken.PinFile);

        VerifiedStatement root = _scene.Rotate("bank", 1, token);
        Assert.Equal([token.Key], _scene.Replay("bank").RootInForce(root.Owner)?.Keys.Keys);
        Assert.True(File.Exists(Path.Combine(_scene.Keys("bank"), "root-2.token")));
        Assert.False(File.Exists(Path.Combine(_scene.Keys("bank"), "root-1.pem")));
        Assert.Equal([token.Key.Id], Sign("images.yaml", "quiet", "loud").SignedBy);

        // Back into a file, signed by the token.
        Assert.Equal(3, _scene.Rotate("bank", 2).Revision);
        Assert.True(File.Exists(Path.Combine(_scene.Keys("bank"), "retired-root-2.token")));
    }

    [Fact]
    public void A_token_that_is_away_or_has_another_key_does_not_sign_and_the_other_keys_do()
    {
        Begin(3, 2);
        TokenReference token = TokenReference.Of(SoftToken.Bank.Key("root"), SoftToken.PinFile);
        _scene.Rotate("bank", 1, token);
        string file = Path.Combine(_scene.Keys("bank"), "root-4.token");
        foreach (TokenReference away in new[]
        {
            token with { Uri = TokenUri.Read("pkcs11:token=nowhere;object=root") },
            token with { PinFile = "/nowhere/pin" },
            token with { Uri = SoftToken.Bank.Key("long") },
        })
        {
            File.WriteAllBytes(file, away.Write());
            using PartyDirectory party = _scene.Open("bank");
            Assert.Equal(2, party.OpenRoots(2).Count);
            Assert.Contains("root-4.token", Assert.Throws<CustodyException>(() => party.OpenRoots(3)).Message,
                StringComparison.Ordinal);
        }

        File.WriteAllBytes(file, (token with { Key = Ledger.Statements.Signatory.NewKey().PublicKey }).Write());
        using PartyDirectory exchanged = _scene.Open("bank");
        Assert.Throws<CustodyException>(() => exchanged.OpenRoots(3));

        File.WriteAllBytes(file, token.Write());
        using PartyDirectory all = _scene.Open("bank");
        Assert.Equal(3, all.OpenRoots(3).Count);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"token":"pkcs11:token=a;object=b","pinFile":"pin","key":"AA=="}""")]
    [InlineData("pkcs11:token=a;object=b")]
    public void Refuses_a_file_that_names_no_key(string text)
    {
        Assert.Null(TokenReference.Read(System.Text.Encoding.UTF8.GetBytes(text)));
        TokenReference token = TokenReference.Of(SoftToken.Bank.Key("root"), SoftToken.PinFile);
        Assert.Equal(token.Key, TokenReference.Read(token.Write())?.Key);
    }

    /// <summary>A bank whose policies name nobody else.</summary>
    private void Begin(int keys, int threshold)
    {
        foreach (string file in new[] { "ledger.yaml", "web.yaml" })
        {
            File.Delete(Path.Combine(_scene.Policies, "bank", file));
        }

        _scene.Create("bank", keys, threshold).Dispose();
        _scene.Sign("bank");
    }

    private VerifiedStatement Sign(string file, string old, string replacement)
    {
        _scene.Edit(Path.Combine("bank", file), old, replacement);
        return Assert.Single(_scene.Sign("bank"));
    }
}
