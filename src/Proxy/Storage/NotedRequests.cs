using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// Asks for keys so that this host never has one that it does not know of: what is about to be held is noted durably
/// before the question leaves, and struck out when the answer is no.
/// </summary>
internal static class NotedRequests
{
    /// <summary>Asks for one key.</summary>
    /// <param name="keys">Whom to ask.</param>
    /// <param name="held">Where it is noted.</param>
    /// <param name="question">Which key.</param>
    /// <param name="machine">The machine that is about to start.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The answer, and the nonce under which it was asked.</returns>
    /// <exception cref="Host.WorldException">No answer: the key may or may not have been released, and stays noted; or
    /// the disk refused.</exception>
    public static async Task<(VolumeKeyAnswer Answer, string Asked)> AskNotedAsync(
        this IVolumeKeys keys, HeldVolumes held, VolumeKeyQuestion question, CompartmentPlan machine,
        CancellationToken stop)
    {
        string key = question.Key.ToString(), compartment = machine.Ref.ToString(), asked = "";
        string copiedInto = question.Copy?.ToString() ?? "";
        VolumeKeyAnswer answer = await keys.RequestAsync(
            question,
            nonce =>
            {
                asked = nonce;
                held.Hold(key, compartment, machine.MachineName, nonce, copiedInto);
            },
            stop).ConfigureAwait(false);
        if (answer is VolumeKeyAnswer.Refused)
        {
            held.Forget(key, compartment, asked, copiedInto);
        }

        return (answer, asked);
    }
}
