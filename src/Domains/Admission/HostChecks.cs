using System.Diagnostics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// The checks that depend on the machine's domains and the host: does each domain accept the platform?
/// </summary>
internal static class HostChecks
{
    public static void Add(List<AdmissionRefusal> refusals, AdmissionCase admission)
    {
        // Who lends a volume has a say in where it is opened.
        foreach (var domain in admission.Domains.Concat(admission.Lenders))
        {
            Platform(refusals, admission, domain);
        }

        if (admission.Machine.Placement.Hosts is { } chosen && !chosen.Contains(admission.Host.Ref.Name))
        {
            refusals.Add(new(AdmissionRefusalCode.HostNotChosen,
                $"{admission.Machine.Origin} may run on {Display.List(chosen)}, not on {Display.Of(admission.Host)}.",
                admission.Machine.Origin));
        }

        foreach (var disk in admission.Machine.Disks)
        {
            Mount(refusals, admission, disk);
        }
    }

    private static void Mount(List<AdmissionRefusal> refusals, AdmissionCase admission, DiskModel disk)
    {
        var reference = disk.Volume.ToString();
        if (admission.Ground.Datacentre.Machinery.Volumes.GetValueOrDefault(reference) is { } volume)
        {
            refusals.AddRange(MountControl.Against(volume, admission.Machine, admission.Host.Ref)
                .Select(one => new AdmissionRefusal(
                    one.Code switch
                    {
                        MountRefusalCode.ImageNotAllowed => AdmissionRefusalCode.VolumeImageNotAllowed,
                        MountRefusalCode.HostNotAllowed => AdmissionRefusalCode.VolumeHostNotAllowed,
                        _ => throw new UnreachableException(),
                    },
                    one.Sentence, one.Because)));
        }
    }

    /// <summary>True if the domain's policy accepts the host's operator, level and country.</summary>
    public static bool Accepts(DomainModel domain, HostModel host) =>
        domain.Hosts.Operators.Contains(host.Ref.Operator)
        && domain.Hosts.Assurance.Contains(host.Assurance)
        && domain.Hosts.Jurisdictions.Contains(host.Jurisdiction, StringComparer.Ordinal);

    private static void Platform(List<AdmissionRefusal> refusals, AdmissionCase admission, DomainModel domain)
    {
        var host = admission.Host;
        var demand = domain.Hosts;
        if (!demand.Operators.Contains(host.Ref.Operator))
        {
            refusals.Add(new(AdmissionRefusalCode.OperatorNotAccepted,
                $"{domain.Origin} accepts the operators {Display.List(demand.Operators.Select(id => id.Short))}; "
                + $"{Display.Of(host)} is run by {host.Origin.OwnerName} ({host.Ref.Operator.Short}).",
                domain.Origin));
        }

        if (!demand.Assurance.Contains(host.Assurance))
        {
            refusals.Add(new(AdmissionRefusalCode.AssuranceNotAccepted,
                $"{domain.Origin} accepts the assurance levels {Display.List(demand.Assurance.Select(WireText.Of))}; "
                + $"{host.Origin} gives {WireText.Of(host.Assurance)}.",
                domain.Origin));
        }

        if (!demand.Jurisdictions.Contains(host.Jurisdiction, StringComparer.Ordinal))
        {
            refusals.Add(new(AdmissionRefusalCode.JurisdictionNotAccepted,
                $"{domain.Origin} accepts the countries {Display.List(demand.Jurisdictions)}; "
                + $"{host.Origin} stands in {host.Jurisdiction}.",
                domain.Origin));
        }
    }
}
