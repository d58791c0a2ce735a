using System.Net;
using System.Text;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Master.Api;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Tidy;

namespace Bailiwick.Tests.Master;

/// <summary>
/// Every row of the board's table, by every kind of caller, on targets of two tenants, compared with the checked-in
/// matrix. The matrix is made from the table, so a new row changes it and must be looked at.
/// </summary>
public sealed class RouteMatrixTests
{
    private static readonly string Golden = Path.Combine(Checkout.Root, "tests", "Tests", "Golden", "routes.txt");

    [Fact]
    public async Task Every_row_answers_every_caller_as_the_checked_in_matrix_says()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var revoked = world.Bank.Admin;
        var admin = PartyUnderTest.NewIdentity();
        await world.Publish(world.Bank.Admin, world.Bank.TenantRoot(admin));
        var clock = new StoppedClock { Now = DateTimeOffset.UtcNow - TimeSpan.FromDays(30) };
        (string Name, ChannelIdentity Identity)[] callers =
        [
            ("anonymous", PartyUnderTest.NewIdentity()), ("tenant admin", admin),
            ("tenant auditor", world.Bank.Auditor), ("key service", world.Bank.Service),
            ("other tenant", world.Hospital.Admin), ("operator", world.Operator.Admin),
            ("datacentre auditor", world.Operator.Auditor), ("host", world.Host1), ("revoked", revoked),
            ("expired", EchoServer.NewIdentity(clock)),
        ];
        var matrix = new StringBuilder();
        foreach (var row in MasterRoutes.Table.Rows)
        {
            matrix.Append(row.Key).Append('\n');
            matrix.Append("  callers: ").AppendJoin(", ", row.Callers.Select(one => one.Words())).Append('\n');
            matrix.Append("  scope: ").Append(row.Scope.Name).Append('\n');
            foreach (var (name, identity) in callers)
            {
                using var http = world.Http(identity);
                matrix.Append("  ").Append(name.PadRight(20));
                foreach (var target in TargetsOf(row))
                {
                    matrix.Append(target).Append(' ').Append(await Ask(world, http, row, target)).Append("  ");
                }

                matrix.Length -= 2;
                matrix.Append('\n');
            }
        }

        var actual = matrix.ToString();
        var cancel = TestContext.Current.CancellationToken;
        var expected = File.Exists(Golden) ? await File.ReadAllTextAsync(Golden, cancel) : "";
        if (actual != expected)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Golden) ?? "");
            await File.WriteAllTextAsync(Golden + ".actual", actual, cancel);
        }

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Every_row_says_who_what_and_what_it_records()
    {
        Assert.All(MasterRoutes.Table.Rows, row =>
        {
            Assert.NotEmpty(row.Callers);
            Assert.NotEmpty(row.Summary);
            Assert.NotEmpty(row.Records switch
            {
                RecordDuty.Writes writes => writes.What,
                RecordDuty.Nothing nothing => nothing.Because,
                _ => "",
            });
            Assert.Equal(row.Method != "GET", row.MaxBodyBytes > 0);
        });
    }

    private static IEnumerable<string> TargetsOf(RouteRow row) => row.Key switch
    {
        "POST /v1/statements" => ["bank", "hospital", "both"],
        _ when row.Template.Contains('{', StringComparison.Ordinal) =>
            ["bank", "hospital", "mixed", "missing", "malformed"],
        _ => ["all"],
    };

    private static async Task<string> Ask(BoardWorld world, HttpClient http, RouteRow row, string target)
    {
        using var request = new HttpRequestMessage(new HttpMethod(row.Method), PathOf(world, row, target))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (row.Method != "GET")
        {
            request.Content = new StringContent(BodyOf(world, row, target), Encoding.UTF8, "application/json");
        }

        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            return ((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (HttpRequestException)
        {
            return "no handshake";
        }
    }

    /// <summary>Where a row is about hosts, host-1 stands in for the bank's machine and host-2 for the other.</summary>
    private static string PathOf(BoardWorld world, RouteRow row, string target)
    {
        var path = row.Template;
        var (tenant, machine, host) = target switch
        {
            "hospital" => (world.Hospital.Id.ToString(), "records-1", "host-2"),
            "mixed" => (world.Bank.Id.ToString(), "records-1", "host-2"),
            "missing" => (world.Bank.Id.ToString(), "nothing", "nothing"),
            "malformed" => ("x", "web-1", "host-1"),
            _ => (world.Bank.Id.ToString(), "web-1", "host-1"),
        };
        path = path.Replace("{tenant}", tenant, StringComparison.Ordinal)
            .Replace(
                "{operator}", target == "malformed" ? "x" : world.Operator.Id.ToString(), StringComparison.Ordinal)
            .Replace(
                "{name}", path.Contains("/hosts/", StringComparison.Ordinal) ? host : machine,
                StringComparison.Ordinal);
        return path switch
        {
            "/v1/proofs/inclusion" => path + "?index=0&size=1",
            "/v1/proofs/consistency" => path + "?first=1&second=2",
            _ => path,
        };
    }

    private static string BodyOf(BoardWorld world, RouteRow row, string target)
    {
        var (bank, hospital) =
            (Encoding.UTF8.GetString(world.Bank.RootEnvelope), Encoding.UTF8.GetString(world.Hospital.RootEnvelope));
        return row.Key switch
        {
            "POST /v1/statements" => "{\"envelopes\":[" + target switch
            {
                "bank" => bank,
                "hospital" => hospital,
                _ => bank + "," + hospital,
            } + "]}",
            "PUT /v1/compartments/{tenant}/{name}/power" => """{"running":false}""",
            "PUT /v1/hosts/{operator}/{name}/drain" => """{"draining":false}""",
            "POST /v1/hosts/{operator}/{name}/reports" =>
                """{"checkpoint":"","compartments":[],"peers":[],"refusedStatements":[],"problems":[]}""",
            "POST /v1/leases" => """{"leases":[],"holders":[],"restarts":[]}""",
            _ => throw new InvalidOperationException($"Give the row {row} a body here."),
        };
    }
}
