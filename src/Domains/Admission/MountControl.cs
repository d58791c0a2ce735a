using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// Whether a volume may be opened for a machine on a host, as far as the volume's own statement says. The key service
/// asks at each release, and the host's admission before a key is asked for: one rule in both places.
/// </summary>
public static class MountControl
{
    /// <summary>Every reason against it; empty without conditions.</summary>
    public static ImmutableArray<MountRefusal> Against(VolumeModel volume, CompartmentModel machine, HostRef host)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(host);
        var refusals = ImmutableArray.CreateBuilder<MountRefusal>();
        // An image's name means the owner's own image; another tenant's of that name is another image.
        if (volume.Mount?.Images is { } images
            && (machine.Ref.Tenant != volume.Ref.Tenant || !images.Contains(machine.Image)))
        {
            refusals.Add(new(
                MountRefusalCode.ImageNotAllowed,
                $"{volume.Origin} is opened for machines that start from {Display.List(images)} of its owner, and "
                + $"{machine.Origin} starts from {machine.Image}.",
                volume.Origin));
        }

        if (volume.Mount?.Hosts is { } hosts && !hosts.Contains(host.Name))
        {
            refusals.Add(new(
                MountRefusalCode.HostNotAllowed,
                $"{volume.Origin} is opened on {Display.List(hosts)}, not on {host.Name}.", volume.Origin));
        }

        return refusals.ToImmutable();
    }
}

/// <summary>One reason against opening a volume.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people.</param>
/// <param name="Because">The volume's statement.</param>
public sealed record MountRefusal(MountRefusalCode Code, string Sentence, StatementOrigin Because);

/// <summary>Why a volume is not opened for a machine on a host. Closed.</summary>
public enum MountRefusalCode
{
    /// <summary>The machine starts from an image that the volume's statement does not list.</summary>
    ImageNotAllowed = 1,

    /// <summary>The volume's statement does not list the host.</summary>
    HostNotAllowed,
}
