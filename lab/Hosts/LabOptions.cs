using System.Text.RegularExpressions;

namespace Bailiwick.Lab.Hosts;

/// <summary>What datacentre to build.</summary>
/// <param name="Directory">Where it lives; one lab per directory, different directories may have labs at once.</param>
public sealed partial record LabOptions(string Directory)
{
    private const int HostsLimit = 100;
    private const int ServicesLimit = 7;

    /// <summary>The hosts, 1 to 100: lower-case names. Host i, from 0, has the underlay address 10.99.0.(11 + i).
    /// </summary>
    public IReadOnlyList<string> Hosts { get; init; } = ["host-1", "host-2"];

    /// <summary>Places for programs on the underlay, at most 7: the first has 10.99.0.2, the next 10.99.0.3, ...
    /// </summary>
    public IReadOnlyList<string> Services { get; init; } = ["master"];

    /// <summary>Where the kernel, the guest and the compiled programs are kept; may be shared between labs.</summary>
    public string CacheDirectory { get; init; } = Path.Combine(Directory, "cache");

    /// <summary>libvirt's qemu hook of a host, by its name; libvirt looks for it only when it starts.</summary>
    public Func<string, string>? Hook { get; init; }

    /// <summary>How long a step may take before the lab gives up.</summary>
    public TimeSpan StepLimit { get; init; } = TimeSpan.FromSeconds(60);

    internal void Check()
    {
        List<string> findings = [];
        var names = Hosts.Concat(Services).ToList();
        findings.AddRange(names.Where(name => !NameForm().IsMatch(name) || name == LabDatacentre.FabricName)
            .Select(name => $"'{name}' is not a name of 1..20 of a-z 0-9 -, or is taken"));
        findings.AddRange(names.GroupBy(name => name).Where(group => group.Count() > 1)
            .Select(group => $"'{group.Key}' is there {group.Count()} times"));
        if (Hosts.Count is < 1 or > HostsLimit)
        {
            findings.Add($"{Hosts.Count} hosts; 1 to {HostsLimit} are possible");
        }

        if (Services.Count > ServicesLimit)
        {
            findings.Add($"{Services.Count} services; at most {ServicesLimit} are possible");
        }

        if (findings.Count > 0)
        {
            throw new LabException(string.Join("; ", findings), "the lab's options", "correct the options");
        }
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,19}$")]
    private static partial Regex NameForm();
}
