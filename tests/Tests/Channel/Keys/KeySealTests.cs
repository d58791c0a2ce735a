using System.Text;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Secrets;

namespace Bailiwick.Tests.Channel.Keys;

/// <summary>A sealed key opens for one session in one context.</summary>
public sealed class KeySealTests
{
    private static readonly byte[] Context = Encoding.ASCII.GetBytes("""{"volume":"a"}""");

    [Fact]
    public void Opens_for_the_session_it_was_sealed_to()
    {
        using SecretBytes key = SecretBytes.Random(32);
        using SessionKey session = SessionKey.Create();
        using SecretBytes? opened = session.Open(KeySeal.Seal(key, session.PublicKey, Context));
        Assert.True(opened?.HasSameBytesAs(key));
    }

    [Fact]
    public void Never_seals_the_same_way_twice()
    {
        using SecretBytes key = SecretBytes.Random(32);
        using SessionKey session = SessionKey.Create();
        SealedKey one = KeySeal.Seal(key, session.PublicKey, Context);
        SealedKey two = KeySeal.Seal(key, session.PublicKey, Context);
        Assert.NotEqual(one.Ephemeral.ToArray(), two.Ephemeral.ToArray());
        Assert.NotEqual(one.Ciphertext.ToArray(), two.Ciphertext.ToArray());
    }

    [Fact]
    public void Does_not_open_for_another_session()
    {
        using SecretBytes key = SecretBytes.Random(32);
        using SessionKey session = SessionKey.Create();
        using SessionKey other = SessionKey.Create();
        Assert.Null(other.Open(KeySeal.Seal(key, session.PublicKey, Context)));
    }

    [Fact]
    public void Does_not_open_with_any_byte_changed()
    {
        using SecretBytes key = SecretBytes.Random(32);
        using SessionKey session = SessionKey.Create();
        SealedKey good = KeySeal.Seal(key, session.PublicKey, Context);
        for (int i = 0; i < good.Ciphertext.Length; i++)
        {
            Assert.Null(session.Open(good with { Ciphertext = Changed(good.Ciphertext, i) }));
        }

        for (int i = 0; i < good.Context.Length; i++)
        {
            Assert.Null(session.Open(good with { Context = Changed(good.Context, i) }));
        }

        for (int i = 0; i < good.Ephemeral.Length; i++)
        {
            Assert.Null(session.Open(good with { Ephemeral = Changed(good.Ephemeral, i) }));
        }
    }

    [Fact]
    public void With_a_TPMs_part_neither_the_session_nor_the_part_opens_it_alone()
    {
        using SecretBytes key = SecretBytes.Random(32);
        using SecretBytes part = SecretBytes.Random(32);
        using SecretBytes otherPart = SecretBytes.Random(32);
        using SessionKey session = SessionKey.Create();
        using SessionKey other = SessionKey.Create();
        SealedKey made = KeySeal.Seal(key, session.PublicKey, Context, part);
        using SecretBytes? opened = session.Open(made, part);
        Assert.True(opened?.HasSameBytesAs(key));
        Assert.Null(session.Open(made));
        Assert.Null(session.Open(made, otherPart));
        Assert.Null(other.Open(made, part));
        Assert.Null(session.Open(KeySeal.Seal(key, session.PublicKey, Context), part));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(59)]
    [InlineData(61)]
    public void Does_not_open_a_ciphertext_of_another_length(int length)
    {
        using SecretBytes key = SecretBytes.Random(32);
        using SessionKey session = SessionKey.Create();
        Assert.Null(session.Open(KeySeal.Seal(key, session.PublicKey, Context) with { Ciphertext = new byte[length] }));
    }

    private static byte[] Changed(ReadOnlyMemory<byte> bytes, int at)
    {
        byte[] changed = bytes.ToArray();
        changed[at] ^= 0x01;
        return changed;
    }
}
