using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Bailiwick.Lab.Datacentres;

/// <summary>The authored files of a <see cref="GeneratedDatacentre"/>, each within the limits of one file.</summary>
internal sealed class StatementFiles
{
    private const int MostCharacters = 600_000;
    private const int MostDocuments = 900;
    private readonly ImmutableArray<(string, string)>.Builder _files =
        ImmutableArray.CreateBuilder<(string, string)>();
    private readonly StringBuilder _text = new();
    private int _documents;
    private string _party = "";

    public StatementFiles(
        DatacentreShape shape, ImmutableArray<GeneratedDomain> domains, GeneratedMachines machines)
    {
        Inventory(shape, machines);
        var byTenant = domains.ToLookup(domain => domain.Tenant);
        var ofTenant = Enumerable.Range(0, shape.Machines).ToLookup(machines.TenantOf);
        for (var tenant = 0; tenant < shape.Tenants; tenant++)
        {
            var name = GeneratedDatacentre.TenantName(tenant);
            Begin(name);
            Document(text => text.Append(CultureInfo.InvariantCulture, $"kind: Tenant\nname: {name}\n")
                .Append(CultureInfo.InvariantCulture, $"legalName: Generated {tenant}\n"));
            Document(text => text.Append("kind: Image\nname: guest\nkernel: {file: vmlinuz}\n")
                .Append("initrd: {file: initrd.gz}\narguments: quiet\n"));
            foreach (var domain in byTenant[tenant])
            {
                Document(text => domain.Write(text, [], []));
            }

            foreach (var machine in ofTenant[tenant])
            {
                // With its volume it is two documents.
                _documents++;
                Document(text => machines.Write(text, machine));
            }
        }

        End();
    }

    public ImmutableArray<(string Path, string Text)> All => _files.ToImmutable();

    private void Inventory(DatacentreShape shape, GeneratedMachines machines)
    {
        Begin(GeneratedDatacentre.Operator);
        Document(text => text.Append(CultureInfo.InvariantCulture,
            $"kind: Datacentre\nname: {GeneratedDatacentre.Operator}\ntenants: [")
            .AppendJoin(", ", Enumerable.Range(0, shape.Tenants).Select(GeneratedDatacentre.TenantName))
            .Append("]\n"));
        for (var host = 0; host < shape.Hosts; host++)
        {
            Document(text => text.Append(CultureInfo.InvariantCulture, $$"""
                kind: Host
                name: {{GeneratedDatacentre.HostName(host)}}
                jurisdiction: {{GeneratedMachines.Country(host)}}
                assurance: tpm
                underlay: {ipv4: {{GeneratedDatacentre.Underlay(host)}}}
                capacity: {cpus: {{machines.Cpus}}, memoryMiB: {{machines.MemoryMib}}}

                """));
        }

        for (var first = 0; first < shape.Hosts; first += shape.HostsInRack)
        {
            var hosts = Enumerable.Range(first, Math.Min(shape.HostsInRack, shape.Hosts - first)).ToArray();
            if (hosts.Length > 1)
            {
                Document(text => text.Append(CultureInfo.InvariantCulture, $"kind: Link\nname: rack-{first}\nhosts: [")
                    .AppendJoin(", ", hosts.Select(GeneratedDatacentre.HostName))
                    .Append("]\nmedium: trusted-segment\n"));
            }
        }
    }

    private void Begin(string party)
    {
        End();
        _party = party;
    }

    private void Document(Action<StringBuilder> write)
    {
        if (_documents >= MostDocuments || _text.Length >= MostCharacters)
        {
            End();
        }

        _text.Append(_documents++ > 0 ? "---\n" : "");
        write(_text);
    }

    private void End()
    {
        if (_text.Length > 0)
        {
            _files.Add((
                string.Create(CultureInfo.InvariantCulture, $"{_party}/part-{_files.Count:0000}.yaml"),
                _text.ToString()));
        }

        _text.Clear();
        _documents = 0;
    }
}
