using System.Net;
using System.Text;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Receipts;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Master;

public sealed class PublishingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_receipt_proves_the_statement_offline()
    {
        await using var world = await new BoardWorld().Start();
        await world.Settle();
        var envelope = world.Bank.Volume("data");
        var receipt = (await world.Publish(world.Bank.Admin, envelope))[0];
        var book = StatementBook.Empty.Consider(world.BankRoot) is StatementVerdict.Accepted root
            ? root.Next
            : throw new InvalidOperationException();
        var statement = Assert.IsType<StatementVerdict.Accepted>(book.Consider(envelope)).Statement;
        var opened = Assert.IsType<CheckpointVerdict.Opened>(
            Checkpoint.Open(Encoding.UTF8.GetBytes(receipt.Checkpoint), world.Log, BoardWorld.Origin)).Checkpoint;
        var path = receipt.Proof.Select(text => Digest32.TryParseBase64(text, out var hash) ? hash : null)
            .OfType<Digest32>();
        Assert.IsType<ReceiptVerdict.Given>(LedgerReceipt.Check(
            statement, Convert.FromBase64String(receipt.Salt), opened,
            new InclusionProof(receipt.Index, opened.Size, [.. path])));
        Assert.Equal(statement.Digest.Hex, receipt.Digest);
    }

    [Fact]
    public async Task A_stranger_publishes_only_a_first_root_that_the_datacentre_lists()
    {
        await using var world = await new BoardWorld().Start();
        var stranger = PartyUnderTest.NewIdentity();
        Assert.Equal(["0 foreign-owner"], await world.MustRefuse(stranger, world.BankRoot));
        await world.Publish(stranger, world.OperatorRoot);
        await world.Publish(stranger, world.BankRoot);
        var unlisted = new PartyUnderTest(StatementKind.Tenant, "mallory");
        Assert.Equal(["0 foreign-owner"], await world.MustRefuse(stranger, unlisted.TenantRoot()));
        Assert.Equal(["0 foreign-owner"], await world.MustRefuse(stranger, world.Bank.TenantRoot()));
    }

    [Fact]
    public async Task A_batch_is_published_whole_or_not_at_all()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var board = world.Board(world.Bank.Admin);
        var before = await board.Checkpoint(Cancel);
        var own = world.Bank.Volume("data");
        Assert.Equal(
            ["1 foreign-owner", "2 malformed-envelope"],
            await world.MustRefuse(world.Bank.Admin, own, world.Hospital.Volume("data"), "{}"u8.ToArray()));
        Assert.Equal(before, await board.Checkpoint(Cancel));
        await world.Publish(world.Bank.Admin, own);
        Assert.NotEqual(before, await board.Checkpoint(Cancel));
    }

    [Fact]
    public async Task Publishing_again_writes_nothing_and_gives_the_same_receipt()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var envelope = world.Bank.Volume("data");
        var first = (await world.Publish(world.Bank.Admin, envelope))[0];
        var again = (await world.Publish(world.Bank.Admin, envelope))[0];
        Assert.Equal((first.Index, first.Salt, first.Checkpoint), (again.Index, again.Salt, again.Checkpoint));
    }

    [Fact]
    public async Task A_partys_whole_history_may_be_published_again_with_what_is_new()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        byte[] first = world.Bank.Volume("data"), second = world.Bank.Volume("data", 32);
        var before = await world.Publish(world.Bank.Admin, first, second);
        Assert.Equal(["0 foreign-owner"], await world.MustRefuse(world.Hospital.Admin, first));

        var again = await world.Publish(world.Bank.Admin, first, second);
        Assert.Equal(before.Select(one => (one.Digest, one.Index)), again.Select(one => (one.Digest, one.Index)));
        Assert.Equal(before[1].Checkpoint, again[1].Checkpoint);

        var more = await world.Publish(world.Bank.Admin, first, second, world.Bank.Volume("data", 64), first);
        Assert.Equal(
            [before[0].Index, before[1].Index, before[1].Index + 1, before[0].Index], more.Select(one => one.Index));
    }

    [Fact]
    public async Task Refuses_what_the_ledger_refuses_and_what_makes_no_sense()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var first = world.Bank.Volume("data");
        var second = world.Bank.Volume("data", 32);
        var third = world.Bank.Volume("data", 64);
        await world.Publish(world.Bank.Admin, first, second);
        Assert.Equal(["0 rollback"], await world.MustRefuse(world.Bank.Admin, world.Bank.FirstAgain(
            StatementKind.Volume, "data", """{"domain":"web","sizeMiB":48,"wipe":"crypto-erase"}""")));
        var fourth = world.Bank.Volume("data", 128);
        Assert.Equal(["0 gap"], await world.MustRefuse(world.Bank.Admin, fourth));
        await world.Publish(world.Bank.Admin, third, fourth);
        var nonsense = world.Bank.Sign(StatementKind.Volume, "odd", new { domain = "web", size = 16, wipe = "maybe" });
        var codes = await world.MustRefuse(world.Bank.Admin, nonsense);
        Assert.Contains("0 unknown-member", codes);
        Assert.Contains("0 missing-member", codes);
        Assert.Contains("0 unknown-enum-value", codes);
    }

    [Fact]
    public async Task A_key_service_publishes_its_tenants_changes_of_keys_and_nothing_else()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        Assert.Equal(
            ["0 foreign-owner"], await world.MustRefuse(world.Bank.Service, world.Bank.Volume("data")));
        Assert.Equal(
            ["0 foreign-owner"], await world.MustRefuse(world.Hospital.Service, world.Bank.KeyChange()));
        Assert.Equal(["0 gap"], await world.MustRefuse(world.Bank.Service, world.Bank.KeyChange()));
        Assert.Equal(
            ["0 malformed-key-change"],
            await world.MustRefuse(world.Hospital.Service, world.Hospital.KeyChange("""{"note":"read me"}""")));
        await using var other = await (await new BoardWorld().Start()).Settle();
        var receipt = Assert.Single(await other.Publish(other.Bank.Service, other.Bank.KeyChange()));
        var entry = (await other.Board(other.Bank.Auditor).Entries(receipt.Index, 1, Cancel)).Entries[0];
        Assert.NotNull(entry.Envelope);
        entry = (await other.Board(other.Hospital.Auditor).Entries(receipt.Index, 1, Cancel)).Entries[0];
        Assert.Null(entry.Envelope);
    }

    [Fact]
    public async Task A_key_service_cannot_flood_the_log()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        byte[][] changes = [.. Enumerable.Range(0, 66).Select(_ => world.Bank.KeyChange())];
        var all = await Assert.ThrowsAsync<BoardException>(() => world.Publish(world.Bank.Service, changes));
        Assert.Equal("too-many-key-changes", all.Problem?.Code);
        await world.Publish(world.Bank.Service, changes[..64]);
        var more = await Assert.ThrowsAsync<BoardException>(
            () => world.Publish(world.Bank.Service, changes[64..]));
        Assert.Equal("too-many-key-changes", more.Problem?.Code);
        await world.Publish(world.Hospital.Service, world.Hospital.KeyChange());
        await world.Publish(world.Bank.Admin, world.Bank.Volume("data"));
    }

    [Fact]
    public async Task Nobody_can_lock_another_out_by_naming_its_key()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var theft = world.Hospital.TenantRoot(world.Hospital.Admin, world.Bank.Admin);
        Assert.Equal(["0 key-in-two-roles"], await world.MustRefuse(world.Hospital.Admin, theft));
        await world.Publish(world.Bank.Admin, world.Bank.Volume("data"));
    }

    [Fact]
    public async Task Each_reads_what_it_may_and_the_rest_stays_closed()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var bank = await world.Board(world.Bank.Auditor).Entries(0, 100, Cancel);
        var all = await world.Board(world.Host1).Entries(0, 100, Cancel);
        Assert.All(all.Entries, entry => Assert.NotNull(entry.Envelope));
        Assert.Equal(all.Entries.Length, bank.Entries.Length);
        // Three roots, two hosts, and the bank's own image, domain and machine; not the hospital's three.
        Assert.Equal(8, bank.Entries.Count(entry => entry.Envelope is not null));
        Assert.All(bank.Entries, entry => Assert.Equal(entry.Envelope is null, entry.Salt is null));
        Assert.Equal(all.Entries.Select(entry => entry.Commitment), bank.Entries.Select(entry => entry.Commitment));
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_its_next_call_on_an_open_connection()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        using var http = world.Http(world.Bank.Admin);
        using var before = await http.GetAsync("/v1/status", Cancel);
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        var successor = PartyUnderTest.NewIdentity();
        await world.Publish(world.Bank.Admin, world.Bank.TenantRoot(successor));
        using var after = await http.GetAsync("/v1/status", Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, after.StatusCode);
        await world.Publish(successor, world.Bank.Volume("data"));
    }

    [Fact]
    public async Task A_watch_ends_when_its_key_is_revoked()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        await using var watch = world.Board(world.Bank.Admin).Watch(0, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await watch.MoveNextAsync());
        var successor = PartyUnderTest.NewIdentity();
        await world.Publish(world.Bank.Admin, world.Bank.TenantRoot(successor));
        await world.Publish(successor, world.Bank.Volume("data"));
        var seen = new List<WatchEvent> { watch.Current };
        while (await watch.MoveNextAsync())
        {
            seen.Add(watch.Current);
        }

        Assert.DoesNotContain(seen.OfType<WatchEvent.Entry>(), entry => entry.Index == 12);
    }

    [Fact]
    public async Task Orders_are_kept_over_a_restart_and_the_operator_can_only_stop()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var machine = $"{world.Bank.Id}/web-1";
        var operators = world.Board(world.Operator.Admin);
        await operators.SetPower(machine, false, Cancel);
        var refused = await Assert.ThrowsAsync<BoardException>(() => operators.SetPower(machine, true, Cancel));
        Assert.Equal("operator-may-only-stop", refused.Problem?.Code);
        await operators.SetDrain($"{world.Operator.Id}/host-1", true, Cancel);
        await world.Stop();
        await world.Start();
        var status = await world.Board(world.Operator.Admin).Status(Cancel);
        Assert.False(status.Compartments.Single(one => one.Compartment == machine).Running);
        Assert.True(status.Hosts.Single(one => one.Host.EndsWith("/host-1", StringComparison.Ordinal)).Draining);
        await world.Board(world.Bank.Admin).SetPower(machine, true, Cancel);
    }

    [Fact]
    public async Task Suggests_a_host_for_each_machine_moves_it_off_a_drained_one_and_keeps_it_over_a_restart()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var first = await HostOf(world, _ => true);
        await world.Board(world.Operator.Admin).SetDrain(first, true, Cancel);
        var second = await HostOf(world, host => host != first);
        await world.Board(world.Operator.Admin).SetDrain(first, false, Cancel);
        await world.Stop();
        await world.Start();
        Assert.Equal(second, await HostOf(world, _ => true));
        var seen = await world.Board(world.Hospital.Admin).Placements(Cancel);
        Assert.DoesNotContain(
            seen, row => row.Compartment.StartsWith(world.Bank.Id.ToString(), StringComparison.Ordinal));
        await world.Board(world.Operator.Admin).SetDrain(second, true, Cancel);
        await world.Board(world.Operator.Admin).SetDrain(first, true, Cancel);
        var stuck = await RowOf(world, row => row.Reason.Contains("drained", StringComparison.Ordinal));
        Assert.NotNull(stuck.Host);
    }

    private static async Task<string> HostOf(BoardWorld world, Func<string, bool> such) =>
        (await RowOf(world, row => row.Host is not null && such(row.Host))).Host ?? "";

    private static async Task<PlacementRow> RowOf(BoardWorld world, Func<PlacementRow, bool> such)
    {
        for (var i = 0; i < 500; i++)
        {
            var rows = await world.Board(world.Bank.Admin).Placements(Cancel);
            if (rows.FirstOrDefault(such) is { } row)
            {
                return row;
            }

            await Task.Delay(20, Cancel);
        }

        throw new InvalidOperationException("The suggestion did not come.");
    }

    [Fact]
    public async Task A_report_is_shown_to_its_operator_whole_and_to_a_tenant_in_its_part()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        await world.Board(world.Host1).Report(
            $"{world.Operator.Id}/host-1",
            new HostReport(
                "note", [], [], [new ReportedReason("gap", "Domain hospital/web r2 is missing.")], ["disk full"]),
            Cancel);
        var seen = (await world.Board(world.Operator.Admin).Status(Cancel)).Hosts[0];
        Assert.Equal(("reporting", 1, 1), (seen.State, seen.RefusedStatements.Length, seen.Problems.Length));
        var part = (await world.Board(world.Bank.Admin).Status(Cancel)).Hosts[0];
        Assert.Equal(("reporting", 0, 0), (part.State, part.RefusedStatements.Length, part.Problems.Length));
    }

    [Fact]
    public async Task What_a_key_service_says_of_hosts_is_shown_to_its_tenant_and_the_operator_and_to_no_other_tenant()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        string host = $"{world.Operator.Id}/host-1";
        await world.Board(world.Bank.Service).ReportLeases(
            new LeaseReport(
                [
                    new ReportedLease(host, $"{world.Bank.Id}/web", "refused", "PCR 4 differs."),
                    new ReportedLease(host, $"{world.Hospital.Id}/web", "refused", "It is not the hospital's word."),
                ],
                [], []),
            Cancel);
        foreach (var caller in new[] { world.Bank.Admin, world.Operator.Admin })
        {
            HostStanding seen = Assert.Single((await world.Board(caller).Status(Cancel)).Hosts[0].Standings);
            Assert.Equal(("key service", "refused", "PCR 4 differs."), (seen.By, seen.Standing, seen.Because));
        }

        Assert.Empty((await world.Board(world.Hospital.Admin).Status(Cancel)).Hosts[0].Standings);
    }

    [Fact]
    public async Task Describes_itself_by_its_route_table()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        using var http = world.Http(world.Bank.Admin);
        using var answer = await http.GetAsync("/openapi/v1.json", Cancel);
        var document = JsonElement.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var described = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject()
                .Select(operation => $"{operation.Name.ToUpperInvariant()} {path.Name}"));
        Assert.Equal(
            Bailiwick.Master.Api.MasterRoutes.Table.Rows.Select(row => row.Key).Order(StringComparer.Ordinal),
            described.Order(StringComparer.Ordinal));
    }
}
