using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Deployment;

/// <summary>Brings up hosts and services for a set of policies.</summary>
public static class LabBuilder
{
    /// <summary>Hosts with libvirt and our hook in place, one place for the Master and one for each tenant.</summary>
    public static Task<LabDatacentre> Up(
        LabPaths paths, string policies, IReadOnlyList<string> hosts, IProgress<LabStep>? progress,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var desk = new PolicyDesk(policies);
        string[] tenants = [.. desk.Read(PartyNames.UnsignedOfPaths(desk.Files().Select(f => f.Path))).Documents
            .Where(d => d.Origin.Kind == StatementKind.Tenant).Select(d => d.Origin.Name.Text)
            .Order(StringComparer.Ordinal)];
        return LabDatacentre.Up(
            new LabOptions(paths.Root)
            {
                Hosts = hosts,
                Services = ["master", .. tenants.Select(t => "keys-" + t)],
                Hook = host => LabDeployment.HookScript(paths, host),
            },
            progress, cancellation);
    }
}
