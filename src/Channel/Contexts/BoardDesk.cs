using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Wire;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Channel.Contexts;

/// <summary>Somebody at a desk: an identity, and clients that pin whom they call.</summary>
public sealed class BoardDesk : IDisposable
{
    private const int MaximumBytes = 1 << 20;
    private readonly ChannelIdentity _identity;
    private readonly HttpClient _http;

    private BoardDesk(ContextFile context, ChannelIdentity identity)
    {
        Context = context;
        _identity = identity;
        _http = Client(context.Master);
        Board = new BoardClient(_http);
    }

    /// <summary>The context it was opened with.</summary>
    public ContextFile Context { get; }

    /// <summary>The board, as this identity.</summary>
    public IBoard Board { get; }

    /// <summary>The identity's public key.</summary>
    public PublicKey Key => _identity.Key;

    /// <summary>Opens a context file.</summary>
    /// <exception cref="ChannelIdentityException">The file or the key it names cannot be used.</exception>
    public static BoardDesk Open(string path)
    {
        try
        {
            ContextFile context = StrictJson.Read<ContextFile>(File.ReadAllBytes(path), MaximumBytes);
            return new BoardDesk(context, ChannelIdentity.FromPem(context.Identity));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or StrictJsonException)
        {
            throw new ChannelIdentityException(path, "it is no readable context: " + error.Message, error);
        }
    }

    /// <summary>
    /// Publishes a party's folder of statements. The first goes alone: where it is the party's first root, the board
    /// knows nobody of the party before it has it.
    /// </summary>
    public async Task<PostOutcome> PublishFolder(
        IReadOnlyList<ReadOnlyMemory<byte>> envelopes, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(envelopes);
        PostOutcome first = await Board.Publish([.. envelopes.Take(1)], cancel).ConfigureAwait(false);
        return first is PostOutcome.Published && envelopes.Count > 1
            ? await Board.Publish(envelopes, cancel).ConfigureAwait(false)
            : first;
    }

    /// <summary>A client of a host's Proxy; the caller disposes it.</summary>
    /// <exception cref="ChannelIdentityException">The context does not name the host.</exception>
    public HttpClient Host(string host) => Context.Hosts.TryGetValue(host, out ContextPeer? peer)
        ? Client(peer)
        : throw new ChannelIdentityException(host, "the context names no such host");

    /// <summary>A client of a tenant's key service; the caller disposes it.</summary>
    /// <param name="key">The key that the tenant's root statement names.</param>
    /// <param name="address">The address that it names, for a context without a nearer one.</param>
    /// <exception cref="ChannelIdentityException">The address is none.</exception>
    public HttpClient KeyService(KeyId key, string? address) =>
        Client(new ContextPeer(Context.KeyService ?? address ?? "", key.ToString()));

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _identity.Dispose();
    }

    private HttpClient Client(ContextPeer peer) =>
        ChannelAddress.TryParse(peer.Address, out ChannelAddress? address) && KeyId.TryParse(peer.Key, out KeyId? key)
            ? PinnedHandler.Create(_identity, key, address)
            : throw new ChannelIdentityException(peer.Address, "the context's address or key is none");
}
