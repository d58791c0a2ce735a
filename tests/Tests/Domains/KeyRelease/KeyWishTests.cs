using System.Reflection;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>
/// Whether a key would go to a host now is the release's own answer. That both agree each test of a release asserts
/// (<see cref="ReleaseScene.Judge"/>); here is what a wish has of its own.
/// </summary>
public sealed class KeyWishTests
{
    private static readonly Digest32 Ours = Digest32.Of("ours"u8);
    private static readonly KeyNonce Earlier = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();

    [Fact]
    public void Would_be_released_where_everything_is_right()
    {
        var allowed = Assert.IsType<WishVerdict.Allowed>(new ReleaseScene().Consider());
        Assert.Equal(VolumeAccess.Write, allowed.Access);
        Assert.Null(allowed.Shown);
        Assert.NotEmpty(allowed.Because);
    }

    [Fact]
    public void Names_the_header_that_the_host_must_show_whatever_the_wish_says() => Assert.Equal(
        Ours,
        Assert.IsType<WishVerdict.Allowed>(new ReleaseScene
        {
            Header = new VolumeHeaderMark.Bound(Ours, default), State = Digest32.Of("other"u8).Hex,
        }.Consider()).Shown);

    [Fact]
    public void A_host_that_showed_nothing_gets_nothing_even_with_a_lease() =>
        AssertCodes([KeyRefusalCode.NoLease], new ReleaseScene().Consider(known: false));

    [Fact]
    public void A_host_without_a_lease_hears_what_its_verifier_found()
    {
        ReleaseScene scene = new() { Doubt = (_, _) => "the boot log is cut." };
        KeyRefusal only = Assert.Single(Assert.IsType<WishVerdict.Refused>(scene.Consider()).Refusals);
        Assert.Equal(KeyRefusalCode.NoLease, only.Code);
        Assert.Contains("the boot log is cut.", only.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Gives_every_reason_at_once() => AssertCodes(
        [KeyRefusalCode.NoLease, KeyRefusalCode.HeldByAnotherHost, KeyRefusalCode.KeyWithdrawn],
        new ReleaseScene
        {
            Doubt = (_, _) => "it is silent.",
            Holders = ReleaseScene.HeldBy(2, Earlier),
            Withdrawn = DateTimeOffset.MinValue,
        }.Consider());

    [Fact]
    public void Who_asks_plays_no_part() => Assert.IsType<WishVerdict.Allowed>(
        new ReleaseScene { Standing = NonceStanding.Used }.Consider());

    [Fact]
    public void No_key_is_released_by_a_wish()
    {
        // What opens a key takes a release, which only a decision on a signed request makes.
        ConstructorInfo[] ways = typeof(KeyVerdict.Release)
            .GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        Assert.All(ways, way => Assert.Contains(
            typeof(ReleaseContext), way.GetParameters().Select(parameter => parameter.ParameterType)));
        Assert.Contains(typeof(ReleaseRequest), typeof(ReleaseContext).GetConstructors().SelectMany(way =>
            way.GetParameters()).Select(parameter => parameter.ParameterType));
        Assert.DoesNotContain(
            typeof(ReleaseControl).GetMethods().Where(method => method.ReturnType == typeof(KeyVerdict)
                || method.ReturnType.IsSubclassOf(typeof(KeyVerdict))),
            method => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(KeyWish)));
    }

    private static void AssertCodes(KeyRefusalCode[] codes, WishVerdict verdict) => Assert.Equal(
        codes, Assert.IsType<WishVerdict.Refused>(verdict).Refusals.Select(one => one.Code));
}
