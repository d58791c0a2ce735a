using System.Globalization;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.MachineTpms;

/// <summary>
/// Where a machine's software TPM runs. It is a program that answers whatever its machine says, so it must be worth as
/// little as possible to whoever breaks into it: it runs as the user of Debian's swtpm, without capabilities, and sees
/// of the host the programs in <c>/usr</c> and one directory of its own (bwrap(1), setpriv(1)). The directory appears
/// under a name of its own, so that the Proxy's private directories stay closed to that user.
/// </summary>
/// <param name="host">Runs programs.</param>
public sealed class TpmSandbox(IHost host)
{
    /// <summary>The user that Debian's swtpm-tools makes.</summary>
    public const string User = "tss";

    private (int User, int Group)? _ids;

    /// <summary>Runs a program within.</summary>
    /// <param name="directory">Its directory, absolute; what is in it is made its user's.</param>
    /// <param name="inside">The path it sees that under, for example <c>/bw-0123456789abcdef</c>.</param>
    /// <param name="record">A file that it may write to but not replace, and the path it sees that under.</param>
    /// <param name="call">The program; its time limit and input are taken over.</param>
    /// <exception cref="WorldException">There is no such user, or a program refused.</exception>
    public ProgramResult Run(
        string directory, string inside, (string File, string Inside)? record, ProgramCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        (int user, int group) = _ids ??= Find();
        string owner = string.Create(CultureInfo.InvariantCulture, $"{user}:{group}");
        host.Run(new ProgramCall("chown", "--recursive", "--no-dereference", owner, directory));
        string[] also = [];
        if (record is { } one)
        {
            host.Run(new ProgramCall("chown", owner, one.File));
            also = ["--bind", one.File, one.Inside];
        }

        return host.Run(call with
        {
            Argv =
            [
                "bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64",
                "/lib64", "--symlink", "usr/bin", "/bin", "--dev", "/dev", "--bind", directory, inside, .. also,
                "--unshare-net", "--unshare-ipc", "--unshare-uts", "--clearenv", "--cap-drop", "ALL",
                "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP",
                "setpriv", "--reuid", Number(user), "--regid", Number(group), "--clear-groups", "--inh-caps=-all",
                "--bounding-set=-all", "--no-new-privs", .. call.Argv,
            ],
        });
    }

    private static string Number(int id) => id.ToString(CultureInfo.InvariantCulture);

    private (int User, int Group) Find()
    {
        ProgramCall asked = new("getent", "passwd", User) { Answers = [0, 2] };
        return host.Run(asked).Text.Trim().Split(':') is [User, _, var user, var group, ..]
            && int.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out int userId)
            && int.TryParse(group, NumberStyles.None, CultureInfo.InvariantCulture, out int groupId)
            && userId > 0 && groupId > 0
                ? (userId, groupId)
                : throw new WorldException(
                    asked.Argv, 2, $"there is no user {User} for machines' TPMs; install Debian's swtpm-tools");
    }
}
