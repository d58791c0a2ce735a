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
        if (!TakesImage(volume, machine))
        {
            refusals.Add(new(MountRefusalCode.ImageNotAllowed, ImageSentence(volume, machine), volume.Origin));
        }

        if (!TakesHost(volume, host))
        {
            refusals.Add(new(MountRefusalCode.HostNotAllowed, HostSentence(volume, host), volume.Origin));
        }

        return refusals.ToImmutable();
    }

    /// <summary>Whether a machine that starts from its image may open it.</summary>
    /// <remarks>An image's name means the owner's own image; another tenant's of that name is another image.
    /// </remarks>
    internal static bool TakesImage(VolumeModel volume, CompartmentModel machine) =>
        volume.Mount?.Images is not { } images
        || (machine.Ref.Tenant == volume.Ref.Tenant && images.Contains(machine.Image));

    /// <summary>Whether the host may open it.</summary>
    internal static bool TakesHost(VolumeModel volume, HostRef host) =>
        volume.Mount?.Hosts is not { } hosts || hosts.Contains(host.Name);

    /// <summary>That the machine's image is not among those for which it is opened.</summary>
    internal static string ImageSentence(VolumeModel volume, CompartmentModel machine) =>
        $"{volume.Origin} is opened for machines that start from {Display.List(volume.Mount?.Images ?? [])} of its "
        + $"owner, and {machine.Origin} starts from {machine.Image}.";

    /// <summary>That the host is not among those on which it is opened.</summary>
    internal static string HostSentence(VolumeModel volume, HostRef host) =>
        $"{volume.Origin} is opened on {Display.List(volume.Mount?.Hosts ?? [])}, not on {host.Name}.";
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
