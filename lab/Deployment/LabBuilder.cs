using System.Collections.Immutable;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Deployment;

/// <summary>Brings up hosts and services for a set of policies.</summary>
public static class LabBuilder
{
    /// <summary>Hosts with libvirt and our hook in place, one place for the Master and one for each tenant.</summary>
    /// <param name="paths">The lab's directory.</param>
    /// <param name="policies">The directory of policies.</param>
    /// <param name="hosts">How many of the hosts that the policies describe, in their order; all by default.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="LabException">The policies describe fewer.</exception>
    public static Task<LabDatacentre> Up(
        LabPaths paths, string policies, int? hosts, IProgress<LabStep>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var desk = new PolicyDesk(policies);
        ImmutableArray<PolicyDocument> documents =
            desk.Read(PartyNames.UnsignedOfPaths(desk.Files().Select(f => f.Path))).Documents;
        string[] tenants = [.. Names(StatementKind.Tenant).Order(StringComparer.Ordinal)];
        string[] described = [.. Names(StatementKind.Host)];
        if (hosts > described.Length)
        {
            throw new LabException(
                $"{hosts} hosts are asked for and {described.Length} are described", policies,
                $"--hosts {described.Length}, or another Host in the operator's policies");
        }

        return LabDatacentre.Up(
            new LabOptions(paths.Root)
            {
                Hosts = [.. described.Take(hosts ?? described.Length)],
                Services = ["master", .. tenants.Select(t => "keys-" + t)],
                Hook = host => LabDeployment.HookScript(paths, host),
            },
            progress, cancellation);

        IEnumerable<string> Names(StatementKind kind) =>
            documents.Where(one => one.Origin.Kind == kind).Select(one => one.Origin.Name.Text);
    }
}
