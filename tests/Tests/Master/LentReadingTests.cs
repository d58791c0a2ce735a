using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Master;

/// <summary>
/// A tenant reads of another what it needs to judge for what a key of its own is, from the first statement on, and
/// nothing else. A real board, real followers.
/// </summary>
public sealed class LentReadingTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly BoardWorld _world = new();

    private PartyUnderTest Bank => _world.Bank;

    private PartyUnderTest Hospital => _world.Hospital;

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Whoever_is_named_reads_the_machine_with_its_domain_and_image_and_follows_on()
    {
        await (await _world.Start()).Settle();
        await _world.Publish(Bank.Admin, Bank.Machine("web-2", "10.20.1.12"));
        await using var follower = Follow(Hospital.Service);
        Assert.Empty(Of(await Until(follower, told => told.Book.Parties.Any()), Bank));

        await _world.Publish(Bank.Admin, Named("web-1", $"{Hospital.Id}/records"));
        BoardEvent.Advanced opened = await Until(follower, told => Of(told, Bank).Length > 0);
        Assert.True(opened.IsAnew);
        Assert.Equal(["Domain web 1", "Compartment web-1 2", "Image guest 1"], Of(opened, Bank));
        Assert.NotEmpty(Of(opened, Hospital));

        // The revision that takes the disk away is the one that must not be missed.
        await _world.Publish(Bank.Admin, Bank.Machine("web-1", "10.20.1.11"));
        BoardEvent.Advanced after = await Until(follower, told => Of(told, Bank).Contains("Compartment web-1 3"));
        Assert.False(after.IsAnew);
    }

    [Fact]
    public async Task What_the_machine_has_of_its_own_tenant_is_open_too_and_another_machine_is_not()
    {
        await (await _world.Start()).Settle();
        await _world.Publish(
            Bank.Admin, Bank.Volume("data"), Bank.Volume("other"), Named("web-1", $"{Hospital.Id}/records", "data"));
        await using var follower = Follow(Hospital.Service);
        BoardEvent.Advanced told = await Until(follower, one => Of(one, Bank).Length > 0);
        Assert.Equal(
            ["Domain web 1", "Compartment web-1 2", "Volume data 1", "Image guest 1"], Of(told, Bank));
    }

    [Fact]
    public async Task What_its_volume_is_a_copy_of_is_open_too_and_what_that_is_a_copy_of()
    {
        await (await _world.Start()).Settle();
        await _world.Publish(
            Bank.Admin, Bank.Volume("other"), Copy("data", "second"), Named("web-1", $"{Hospital.Id}/records", "data"),
            Copy("second", "first"));
        await using var follower = Follow(Hospital.Service);
        await Until(follower, one => Of(one, Bank).Contains("Volume second 1"));
        await _world.Publish(Bank.Admin, Bank.Volume("first"));
        BoardEvent.Advanced told = await Until(follower, one => Of(one, Bank).Contains("Volume first 1"));
        Assert.DoesNotContain("Volume other 1", Of(told, Bank));
    }

    [Fact]
    public async Task Nobody_reads_more_by_naming_another_than_by_being_named()
    {
        await (await _world.Start()).Settle();
        await _world.Publish(Bank.Admin, Named("web-1", $"{Hospital.Id}/records"));
        foreach (ChannelIdentity caller in new[] { Bank.Admin, Bank.Service, Bank.Auditor })
        {
            await using var follower = Follow(caller);
            Assert.Empty(Of(await Until(follower, told => Of(told, Bank).Length > 0), Hospital));
        }
    }

    [Fact]
    public async Task A_follower_that_was_away_reads_again_what_was_opened_meanwhile()
    {
        await (await _world.Start()).Settle();
        MemoryOfBoard memory = new();
        await using (var before = Follow(Hospital.Admin, memory))
        {
            await Until(before, told => told.Book.Parties.Any());
        }

        await _world.Publish(Bank.Admin, Named("web-1", $"{Hospital.Id}/records"));
        await _world.Stop();
        await _world.Start();
        await using var again = Follow(Hospital.Admin, memory);
        Assert.Contains("Compartment web-1 2", Of(await Until(again, told => Of(told, Bank).Length > 0), Bank));
    }

    private byte[] Named(string machine, params string[] volumes) => Bank.Sign(StatementKind.Compartment, machine, $$"""
        {"cpus":1,"memoryMiB":112,"boot":{"image":"guest"},
         "disks":[{{string.Join(",", volumes.Select(one => $"{{\"volume\":\"{one}\",\"access\":\"read\"}}"))}}],
         "nics":[{"domain":"web","ipv4":"10.20.1.11"}],"devices":["console"]}
        """);

    private byte[] Copy(string name, string source) => Bank.Sign(
        StatementKind.Volume, name,
        $$"""
        {"domain":"web","sizeMiB":16,"wipe":"crypto-erase","from":{"volume":"{{source}}"} }
        """);

    private IAsyncEnumerator<BoardEvent> Follow(ChannelIdentity caller, MemoryOfBoard? memory = null) =>
        new BoardFollower(_world.Board(caller), _world.Log, memory ?? new MemoryOfBoard())
            .Follow(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

    private static async Task<BoardEvent.Advanced> Until(
        IAsyncEnumerator<BoardEvent> follower, Func<BoardEvent.Advanced, bool> wanted)
    {
        while (await follower.MoveNextAsync().AsTask().WaitAsync(Limit))
        {
            Assert.IsNotType<BoardEvent.Refused>(follower.Current);
            if (follower.Current is BoardEvent.Advanced told && wanted(told))
            {
                return told;
            }
        }

        throw new InvalidOperationException("the board ended");
    }

    private static string[] Of(BoardEvent.Advanced told, PartyUnderTest party) =>
    [
        .. StatementKinds.All.Where(kind => !kind.IsRoot()).SelectMany(told.Book.Current)
            .Where(one => one.Owner == party.Id).Select(one => $"{one.Kind} {one.Name} {one.Revision}"),
    ];
}
