using System.Security.Cryptography;
using System.Text;

namespace Bailiwick.Tests.Fakes;

/// <summary>WireGuard interfaces of one host's kernel, as wg(8) shows and sets them.</summary>
internal sealed class FakeWireGuard
{
    private readonly SortedDictionary<string, (string Space, FakeInterface Made)> _all = new(StringComparer.Ordinal);
    private int _made;

    /// <summary>Public keys of peers that have answered.</summary>
    public HashSet<string> Heard { get; } = [];

    /// <summary>Interfaces by name, with the namespace each is in.</summary>
    public IReadOnlyDictionary<string, (string Space, FakeInterface Made)> All => _all;

    public void Clear() => _all.Clear();

    public void Add(string device) => _all.Add(device, ("-", new FakeInterface { Port = 40_000 + ++_made }));

    public void Move(string device, string space) => _all[device] = (space, _all[device].Made);

    public bool Remove(string space, string device) =>
        _all.TryGetValue(device, out var found) && found.Space == space && _all.Remove(device);

    public void RemoveAll(string space)
    {
        foreach (string device in _all.Where(one => one.Value.Space == space).Select(one => one.Key).ToList())
        {
            _all.Remove(device);
        }
    }

    public string? Show(string space, string device, string what) =>
        !_all.TryGetValue(device, out var found) || found.Space != space ? null : what switch
        {
            "public-key" => found.Made.Key + "\n",
            "listen-port" => $"{found.Made.Port}\n",
            "allowed-ips" => Lines(found.Made, peer => peer.Allowed),
            "latest-handshakes" => string.Concat(found.Made.Peers.Keys.Select(key =>
                $"{key}\t{(Heard.Contains(key) ? 1_795_000_000 : 0)}\n")),
            _ => throw new InvalidOperationException($"The fake wg does not show {what}."),
        };

    public void Set(string space, string device, string[] what, ReadOnlySpan<byte> input)
    {
        Assert.Equal(space, _all[device].Space);
        FakeInterface made = _all[device].Made;
        switch (what)
        {
            case ["private-key", "/dev/stdin"]:
                Assert.Equal(32, Convert.FromBase64String(Encoding.ASCII.GetString(input).Trim()).Length);
                // Not the curve: only that another private key is another public one.
                made.Key = Convert.ToBase64String(SHA256.HashData(input));
                break;
            case ["peer", var gone, "remove"]:
                Assert.True(made.Peers.Remove(gone));
                break;
            case ["peer", var key, "endpoint", var endpoint, "persistent-keepalive", _, "allowed-ips", var allowed]:
                made.Peers[key] = (endpoint, allowed);
                break;
            default:
                throw new InvalidOperationException($"The fake wg does not set {string.Join(' ', what)}.");
        }
    }

    private static string Lines(FakeInterface made, Func<(string Endpoint, string Allowed), string> of) =>
        string.Concat(made.Peers.Select(peer => $"{peer.Key}\t{of(peer.Value)}\n"));
}

/// <summary>One WireGuard interface.</summary>
internal sealed class FakeInterface
{
    public string Key { get; set; } = "(none)";

    public int Port { get; init; }

    public SortedDictionary<string, (string Endpoint, string Allowed)> Peers { get; } = new(StringComparer.Ordinal);
}
