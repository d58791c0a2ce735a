using System.Collections.Immutable;

namespace Bailiwick.Proxy.Hooks;

/// <summary>
/// The Proxy's answer to libvirt's hook. On the socket: one text, <c>yes</c>, or <c>no</c> and one reason per line.
/// </summary>
/// <param name="Reasons">Why not, every reason; empty means yes.</param>
public sealed record HookAnswer(ImmutableArray<string> Reasons)
{
    /// <summary>Go on.</summary>
    public static HookAnswer Yes { get; } = new([]);

    /// <summary>Whether libvirt may go on.</summary>
    public bool Allowed => Reasons.IsEmpty;

    /// <summary>Stop, because of one reason.</summary>
    public static HookAnswer No(string reason) => new([reason]);

    /// <summary>Writes the answer to a stream.</summary>
    public async Task WriteAsync(Stream stream, CancellationToken stop)
    {
        string text = Allowed ? "yes" : "no\n" + string.Join('\n', Reasons.Select(r => r.ReplaceLineEndings(" ")));
        await HookRequest.WriteTextAsync(stream, text, stop).ConfigureAwait(false);
        await stream.FlushAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Reads one answer. Anything but an exact <c>yes</c> is a no.</summary>
    public static async Task<HookAnswer> ReadAsync(Stream stream, CancellationToken stop)
    {
        string text = await HookRequest.ReadTextAsync(stream, stop).ConfigureAwait(false);
        if (text == "yes")
        {
            return Yes;
        }

        string[] lines = text.Split('\n');
        return lines[0] == "no" && lines.Length > 1
            ? new HookAnswer([.. lines[1..]])
            : No("the Proxy's answer was not understood");
    }
}
