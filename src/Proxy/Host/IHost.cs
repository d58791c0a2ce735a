using System.Collections.Immutable;

namespace Bailiwick.Proxy.Host;

/// <summary>The seam at which programs are started and the kernel is asked. Nothing outside this folder does so.
/// </summary>
public interface IHost
{
    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="WorldException">
    /// It could not be started, ran out of time, wrote too much, or its exit code is not one of the call's answers.
    /// </exception>
    ProgramResult Run(ProgramCall call);

    /// <summary>
    /// The number of nftables' newest transaction in the host's own network namespace, whosesoever it was: while it
    /// stays, no rule and no element has changed but those that time out or that packets make.
    /// </summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    uint RulesGeneration();

    /// <summary>
    /// BPF programs that see packets at devices of the host's own network namespace, and in netfilter anywhere; or at
    /// those of another namespace alone.
    /// </summary>
    /// <param name="devices">The kernel's numbers of the devices, in their namespace.</param>
    /// <param name="inNamespace">The named network namespace (ip-netns(8)); null for the host's own.</param>
    /// <exception cref="WorldException">The kernel does not answer, or there is no such namespace.</exception>
    ImmutableArray<AttachedPrograms> Programs(IReadOnlyCollection<int> devices, string? inNamespace = null);
}
