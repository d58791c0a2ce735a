using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Lab.Demonstration;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick lab up</c>: the datacentre on one machine, with everyone's keys and signed policies.</summary>
internal static class LabUp
{
    internal static Command Create(Terminal terminal)
    {
        var policies = new Argument<string>("POLICIES")
        {
            Description = "directory of policies", DefaultValueFactory = _ => "examples/three-tenants",
        };
        var hosts = new Option<int?>("--hosts")
        {
            Description = "how many of the hosts that the policies describe; without, all",
        };
        var command = new Command("up",
            "Bring up hosts, Master, key services and Proxies, and start the machines.\n"
            + "Example: bailiwick lab up && bailiwick status --as hospital") { policies, hosts };
        command.SetAction(async (parsed, cancellation) =>
        {
            LabPaths paths = Desk.Paths(parsed);
            LabDeployment made = await Stage.Play(terminal, audience => Up(
                paths, parsed.GetRequiredValue(policies), parsed.GetValue(hosts), audience, cancellation))
                .ConfigureAwait(false);
            using LabDesks desks = made.Desks;
            terminal.Say($"The lab is up in {paths.Root}. Look around: `bailiwick status --as {desks.Tenants[0]}`, "
                + "`bailiwick lab exec host-1 -- virsh list`; end it with `bailiwick lab down`.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static async Task<LabDeployment> Up(
        LabPaths paths, string policies, int? hosts, IDemoAudience audience, CancellationToken cancellation)
    {
        var progress = new StepProgress(audience);
        audience.Act("Hosts");
        GuestImage image = await GuestImage.Build(paths.Cache, progress, cancellation).ConfigureAwait(false);
        LabDatacentre lab = await LabBuilder.Up(
            paths, policies, hosts, progress, cancellation).ConfigureAwait(false);
        await using (lab.ConfigureAwait(false))
        {
            audience.Act("Keys, signed policies, Master, key services, Proxies");
            Task<HostMeasurements> measured = MeasuredStart.Take(paths.Cache, progress, cancellation);
            LabDeployment made = await LabDeployment.Create(
                paths, new LabHosts(lab, image, measured), policies, progress, cancellation).ConfigureAwait(false);
            lab.Detach();
            return made;
        }
    }
}
