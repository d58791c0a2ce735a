using Bailiwick.KeyService.Nonces;
using Bailiwick.Ledger.Keys;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Nonces;

/// <summary>Each way to present a nonce has its own answer.</summary>
public sealed class NonceBookTests
{
    private static readonly KeyId Caller = Signatory.NewKey().Id;
    private static readonly KeyId Other = Signatory.NewKey().Id;
    private readonly Clock _clock = new();
    private readonly NonceBook _book;

    public NonceBookTests() => _book = new NonceBook(_clock);

    [Fact]
    public void Is_good_once()
    {
        byte[] nonce = Give();
        Assert.Equal(NonceFinding.Good, _book.Present(nonce, Caller, out long size));
        Assert.Equal(7, size);
        Assert.Equal(NonceFinding.Used, _book.Present(nonce, Caller, out _));
    }

    [Fact]
    public void Is_refused_to_another_caller_and_stays_the_first_ones()
    {
        byte[] nonce = Give();
        Assert.Equal(NonceFinding.OfAnotherCaller, _book.Present(nonce, Other, out _));
        Assert.Equal(NonceFinding.Good, _book.Present(nonce, Caller, out _));
    }

    [Fact]
    public void Expires_and_is_later_forgotten()
    {
        byte[] nonce = Give(), late = Give();
        _clock.Pass(NonceBook.LifetimeSeconds);
        Assert.Equal(NonceFinding.Good, _book.Present(nonce, Caller, out _));
        _clock.Pass(1);
        Assert.Equal(NonceFinding.Expired, _book.Present(late, Caller, out _));
        _clock.Pass(NonceBook.MemorySeconds);
        Assert.Equal(NonceFinding.Unknown, _book.Present(late, Caller, out _));
    }

    [Fact]
    public void Is_unknown_when_never_given()
    {
        Assert.Equal(NonceFinding.Unknown, _book.Present(new byte[32], Caller, out _));
        Assert.Equal(NonceFinding.Unknown, _book.Present([], Caller, out _));
    }

    [Fact]
    public void Is_of_256_bits_and_never_the_same()
    {
        HashSet<string> seen = [];
        for (int i = 0; i < 10_000; i++)
        {
            byte[] nonce = Give();
            Assert.Equal(32, nonce.Length);
            Assert.True(seen.Add(Convert.ToHexString(nonce)));
            _clock.Pass(2);
        }
    }

    [Fact]
    public void One_caller_has_a_bounded_number_and_takes_none_from_others()
    {
        for (int i = 0; i < NonceBook.MostPerCaller; i++)
        {
            Assert.NotNull(_book.Give(Caller, 0));
        }

        Assert.Null(_book.Give(Caller, 0));
        Assert.NotNull(_book.Give(Other, 0));
        _clock.Pass(NonceBook.MemorySeconds + 1);
        Assert.NotNull(_book.Give(Caller, 0));
    }

    private byte[] Give() => _book.Give(Caller, 7) ?? throw new InvalidOperationException();

    private sealed class Clock : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public void Pass(int seconds) => _seconds += seconds;

        public override long GetTimestamp() => _seconds;
    }
}
