using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Bailiwick.Attestation;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Networking;

/// <summary>A peer of a WireGuard interface.</summary>
/// <param name="Key">Its public key.</param>
/// <param name="Endpoint">Where it listens, <c>address:port</c>.</param>
/// <param name="Allowed">The one address that is taken from it and sent to it, with prefix length.</param>
public sealed record WireGuardPeer(string Key, string Endpoint, string Allowed);

/// <summary>A WireGuard interface as it stands.</summary>
/// <param name="Key">Its public key.</param>
/// <param name="Port">Where it listens.</param>
/// <param name="Peers">Its peers' keys, and what is taken from each.</param>
/// <param name="Heard">Keys of peers that a handshake was completed with, if that was looked at.</param>
public sealed record ObservedWireGuard(
    string Key, int Port, ImmutableDictionary<string, string> Peers, ImmutableHashSet<string> Heard);

/// <summary>
/// WireGuard (wg(8)) by the kernel, or by wireguard-go(8) where the kernel has none. A private key is made here, goes
/// through a pipe into the interface and is forgotten: nobody can ask for it afterwards, this program included.
/// </summary>
public sealed class WireGuardTools(IHost host)
{
    /// <summary>1500 on the underlay less 60: IPv4 20, UDP 8, WireGuard 32.</summary>
    public const int Mtu = 1440;

    private const int KeepaliveSeconds = 25;

    // The last: the kernel has no WireGuard, and the program that had the interface in it was killed.
    private static readonly string[] Absences =
        ["No such file or directory", "No such device", "Protocol not supported"];

    private static readonly string[] NoKernelModule = ["Unknown device type", "Operation not supported"];

    /// <summary>Makes an interface with a new key pair, alone in a namespace, and without peers.</summary>
    /// <exception cref="WorldException">It cannot be made; what was made of it is removed.</exception>
    public void Make(EncryptedTunnel tunnel)
    {
        ArgumentNullException.ThrowIfNull(tunnel);
        string device = tunnel.WireGuard, space = tunnel.Namespace;
        Run("ip", "netns", "add", space);
        try
        {
            // Made in the host's own namespace: its ciphertext goes by that one's way, wherever it is moved.
            ProgramResult made = host.Run(
                new ProgramCall("ip", "link", "add", device, "type", "wireguard") { Answers = [0, 1, 2] });
            if (made.ExitCode != 0)
            {
                if (!NoKernelModule.Any(said => made.Errors.Contains(said, StringComparison.Ordinal)))
                {
                    throw new WorldException(["make", device], made.ExitCode, made.Errors);
                }

                Run("wireguard-go", device);
                // It goes on in a process of its own, which must have found its interface here before that moves away,
                // or it ends and takes it along. It answers when it has, and has given it its own default MTU by then.
                // It hears of another one here only, and answers again after it was told: with its default it fills the
                // longest packets up to more than the underlay takes, and each is sent as two.
                Run("wg", "show", device, "public-key");
                Run("ip", "link", "set", device, "mtu", Text(Mtu));
                Run("wg", "show", device, "public-key");
            }

            Run("ip", "link", "set", device, "netns", space);
            Run("ip", "-n", space, "addr", "add", tunnel.Address + "/128", "dev", device);
            Run("ip", "-n", space, "link", "set", device, "mtu", Text(Mtu), "up");
            Run("ip", "-n", space, "route", "add", InnerAddress.Prefix, "dev", device);
            // Last: what has a key is whole, whenever its maker died.
            SetKey(tunnel);
        }
        catch (WorldException)
        {
            Remove(tunnel);
            throw;
        }
    }

    /// <summary>Removes a namespace with all that is in it; wireguard-go ends with its interface.</summary>
    public void Remove(EncryptedTunnel tunnel)
    {
        ArgumentNullException.ThrowIfNull(tunnel);
        host.Run(new ProgramCall("ip", "netns", "del", tunnel.Namespace) { Answers = [0, 1] });
        host.Run(new ProgramCall("ip", "link", "del", tunnel.WireGuard) { Answers = [0, 1] });
    }

    /// <summary>The public key of a tunnel's interface; null when it is not there, or was never finished.</summary>
    /// <exception cref="WorldException">It is there and cannot be read.</exception>
    public string? KeyOf(EncryptedTunnel tunnel)
    {
        ArgumentNullException.ThrowIfNull(tunnel);
        return Show(tunnel, "public-key")?.Trim() is not { } key || key == "(none)" ? null
            : TunnelKey.IsKey(key) ? key
            : throw new WorldException(["read", tunnel.WireGuard], -1, "its key cannot be read");
    }

    /// <summary>What stands of a tunnel; null when its interface is not there.</summary>
    /// <param name="tunnel">The tunnel.</param>
    /// <param name="known">What was seen of it before: where an interface with this key listens stays.</param>
    /// <param name="listen">Whether to look who has answered.</param>
    /// <exception cref="WorldException">What is there cannot be read.</exception>
    public ObservedWireGuard? Observe(EncryptedTunnel tunnel, ObservedWireGuard? known, bool listen)
    {
        // One word each: what shows all of an interface shows its private key too.
        if (KeyOf(tunnel) is not { } key || Show(tunnel, "allowed-ips") is not { } allowed)
        {
            return null;
        }

        int port = known?.Key == key ? known.Port
            : int.TryParse(Show(tunnel, "listen-port"), CultureInfo.InvariantCulture, out int told) ? told
            : throw new WorldException(["read", tunnel.WireGuard], -1, "its port cannot be read");
        return new ObservedWireGuard(
            key, port, Pairs(allowed),
            listen ? [.. Pairs(Show(tunnel, "latest-handshakes") ?? "").Where(p => p.Value != "0").Select(p => p.Key)]
                : []);
    }

    /// <summary>Brings an interface's peers to these; whoever is not among them is gone at once.</summary>
    /// <param name="tunnel">The tunnel.</param>
    /// <param name="seen">How it stands.</param>
    /// <param name="wanted">Who is to be its peer.</param>
    /// <param name="kept">What is taken from peers that stay although they are not among them.</param>
    /// <param name="refuse">Is told who cannot be made a peer, and why; the others are.</param>
    /// <exception cref="WorldException">Somebody who must not be a peer cannot be removed.</exception>
    public void SetPeers(
        EncryptedTunnel tunnel, ObservedWireGuard seen, IReadOnlyCollection<WireGuardPeer> wanted,
        IReadOnlySet<string> kept, Action<WireGuardPeer, WorldException> refuse)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(refuse);
        ArgumentNullException.ThrowIfNull(tunnel);
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(wanted);
        string[] stale = [.. seen.Peers.Where(one => !kept.Contains(one.Value)).Select(one => one.Key)];
        foreach (string gone in stale.Except(wanted.Select(one => one.Key)).Order(StringComparer.Ordinal))
        {
            Set(tunnel, "peer", gone, "remove");
        }

        // Where a peer listens follows from its key: another port is another interface, and has another key.
        foreach (WireGuardPeer peer in wanted.Where(one => seen.Peers.GetValueOrDefault(one.Key) != one.Allowed))
        {
            try
            {
                Set(tunnel, "peer", peer.Key, "endpoint", peer.Endpoint, "persistent-keepalive",
                    Text(KeepaliveSeconds), "allowed-ips", peer.Allowed);
            }
            catch (WorldException error)
            {
                refuse(peer, error);
            }
        }
    }

    private void SetKey(EncryptedTunnel tunnel)
    {
        Span<byte> secret = stackalloc byte[TunnelKey.KeyBytes];
        byte[] text = GC.AllocateArray<byte>(Base64.GetMaxEncodedToUtf8Length(TunnelKey.KeyBytes) + 1, pinned: true);
        try
        {
            // Any 32 bytes are a private key: whoever uses it clamps it (RFC 7748, section 5).
            RandomNumberGenerator.Fill(secret);
            Base64.EncodeToUtf8(secret, text, out _, out int written);
            text[written] = (byte)'\n';
            host.Run(new ProgramCall("wg", "set", tunnel.WireGuard, "private-key", "/dev/stdin")
            {
                Input = text, NetworkNamespace = tunnel.Namespace,
            });
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
            CryptographicOperations.ZeroMemory(text);
        }
    }

    private void Set(EncryptedTunnel tunnel, params string[] what) => host.Run(
        new ProgramCall(["wg", "set", tunnel.WireGuard, .. what]) { NetworkNamespace = tunnel.Namespace });

    private string? Show(EncryptedTunnel tunnel, string what)
    {
        // 255 is ip-netns(8)'s own when there is no such namespace.
        ProgramResult result = host.Run(new ProgramCall("wg", "show", tunnel.WireGuard, what)
        {
            NetworkNamespace = tunnel.Namespace, Answers = [0, 1, 255],
        });
        return result.ExitCode == 0 ? result.Text
            : Absences.Any(said => result.Errors.Contains(said, StringComparison.Ordinal)) ? null
            : throw new WorldException(["wg", "show", tunnel.WireGuard, what], result.ExitCode, result.Errors);
    }

    private static ImmutableDictionary<string, string> Pairs(string lines) => lines
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))
        .Where(parts => parts.Length == 2).ToImmutableDictionary(parts => parts[0], parts => parts[1]);

    private void Run(params string[] argv) => host.Run(new ProgramCall(argv));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
