using System.Text.Json;
using Bailiwick.Channel.Secrets;

namespace Bailiwick.Tests.Channel.Secrets;

/// <summary>A secret is lent and cannot be written down.</summary>
public sealed class SecretBytesTests
{
    [Fact]
    public void Lends_the_bytes_it_was_given_and_empties_their_source()
    {
        byte[] source = [1, 2, 3];
        using SecretBytes secret = SecretBytes.Take(source);
        Assert.Equal([0, 0, 0], source);
        using SecretLoan loan = secret.Borrow();
        Assert.Equal([1, 2, 3], loan.Bytes.ToArray());
    }

    [Fact]
    public void Lives_in_pages_that_are_locked_and_left_out_of_dumps()
    {
        using SecretBytes secret = SecretBytes.Random(32);
        // VmFlags of /proc/self/smaps: lo = locked, dd = not dumped, wf = wiped on fork (proc_pid_smaps(5)).
        Assert.Contains(
            File.ReadLines("/proc/self/smaps").Where(line => line.StartsWith("VmFlags", StringComparison.Ordinal)),
            flags => flags.Contains(" lo", StringComparison.Ordinal) && flags.Contains(" dd", StringComparison.Ordinal)
                && flags.Contains(" wf", StringComparison.Ordinal));
    }

    [Fact]
    public void Is_gone_once_disposed()
    {
        SecretBytes secret = SecretBytes.Random(32);
        secret.Dispose();
        secret.Dispose();
        Assert.Throws<ObjectDisposedException>(() => secret.Borrow().Dispose());
    }

    [Fact]
    public void Has_no_text_and_no_JSON()
    {
        using SecretBytes secret = SecretBytes.Take([65, 66, 67]);
        Assert.Equal("(secret)", secret.ToString());
        Assert.Throws<NotSupportedException>(() => JsonSerializer.Serialize(secret));
        Assert.Throws<NotSupportedException>(() => JsonSerializer.Serialize(new { secret }));
        Assert.Throws<NotSupportedException>(() => JsonSerializer.Deserialize<SecretBytes>("\"QUJD\""));
    }

    [Fact]
    public void Compares_by_bytes()
    {
        using SecretBytes one = SecretBytes.Take([1, 2]);
        using SecretBytes same = SecretBytes.Take([1, 2]);
        using SecretBytes other = SecretBytes.Take([1, 3]);
        Assert.True(one.HasSameBytesAs(same));
        Assert.True(one.HasSameBytesAs(one));
        Assert.False(one.HasSameBytesAs(other));
    }

    [Fact]
    public void Is_not_made_when_its_filler_fails() =>
        Assert.Throws<InvalidDataException>(() => SecretBytes.Create(8, _ => throw new InvalidDataException()));

    [Theory]
    [InlineData(0)]
    [InlineData(SecretBytes.MaxLength + 1)]
    public void Has_a_bounded_length(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SecretBytes.Random(length));
}
