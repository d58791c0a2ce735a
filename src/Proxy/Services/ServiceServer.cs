using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Proxy.Services;

/// <summary>
/// The server in a service point: Debian's dnsmasq(8). It reads what machines say, so it must be worth as little as
/// possible to whoever breaks into it: it runs as its own user, in its own network namespace, sees of the host the
/// programs in <c>/usr</c>, and keeps of root only what opens its ports (bwrap(1), setpriv(1)). Its configuration goes
/// in through a pipe and nothing is written down; what it runs under is named by the configuration's digest, so that a
/// later Proxy knows whether it is the one that is wanted. It goes on when the Proxy ends.
/// </summary>
/// <param name="host">Runs programs.</param>
/// <param name="tools">Knows which programs are in a namespace.</param>
public sealed class ServiceServer(IHost host, NetworkTools tools)
{
    /// <summary>The user that Debian's dnsmasq-base makes.</summary>
    public const string User = "dnsmasq";

    // NET_ADMIN is over this namespace alone: no other can be entered without SYS_ADMIN. The server does not start
    // without it where it answers DHCP.
    private const string Kept = "+net_bind_service,+net_raw,+net_admin";
    private const string Program = "/usr/sbin/dnsmasq";
    private static readonly string[] Capabilities =
    [
        "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_NET_ADMIN",
    ];

    private (int User, int Group)? _ids;

    /// <summary>The command line under which a configuration is served, its words divided by spaces.</summary>
    public static string CommandOf(string text) => $"{Program} --conf-file={Inside(text)}";

    /// <summary>The command lines of all programs in a namespace.</summary>
    public ImmutableArray<string> Commands(string inNamespace) =>
        [.. tools.Programs(inNamespace).Select(CommandOf).OfType<string>()];

    /// <summary>Starts it; it is in the background when this returns.</summary>
    /// <exception cref="WorldException">It does not start, or there is no such user.</exception>
    public void Start(string inNamespace, string text)
    {
        (int user, int group) = _ids ??= Find();
        host.Run(new ProgramCall(
        [
            "bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--dev", "/dev", "--perms", "1777", "--size", "1048576", "--tmpfs", "/state", "--perms", "0444",
            "--ro-bind-data", "0", Inside(text), "--unshare-ipc", "--unshare-uts", "--clearenv", "--cap-drop", "ALL",
            .. Capabilities.SelectMany(one => new[] { "--cap-add", one }),
            "/usr/bin/setpriv", "--reuid", Number(user), "--regid", Number(group), "--clear-groups",
            $"--inh-caps=-all,{Kept}", $"--ambient-caps=-all,{Kept}", $"--bounding-set=-all,{Kept}", "--no-new-privs",
            Program, $"--conf-file={Inside(text)}",
        ])
        {
            Input = Encoding.UTF8.GetBytes(text), NetworkNamespace = inNamespace,
        });
    }

    private static string Inside(string text) =>
        $"/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}.conf";

    private static string Number(int id) => id.ToString(CultureInfo.InvariantCulture);

    /// <summary>What a process is; null when it has ended meanwhile.</summary>
    private static string? CommandOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{Number(process)}/cmdline").TrimEnd('\0').Replace('\0', ' ');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private (int User, int Group) Find()
    {
        ProgramCall asked = new("getent", "passwd", User) { Answers = [0, 2] };
        return host.Run(asked).Text.Trim().Split(':') is [User, _, var user, var group, ..]
            && int.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out int userId)
            && int.TryParse(group, NumberStyles.None, CultureInfo.InvariantCulture, out int groupId)
            && userId > 0 && groupId > 0
                ? (userId, groupId)
                : throw new WorldException(
                    asked.Argv, 2, $"there is no user {User} for service points; install Debian's dnsmasq-base");
    }
}
