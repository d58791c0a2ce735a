namespace Bailiwick.Tpm;

/// <summary>Where a host's TPM is reached, as its configuration says.</summary>
public abstract record TpmAddress
{
    private const string DevicePrefix = "device:";
    private const string SwtpmPrefix = "swtpm:";

    private TpmAddress(string path) => Path = path;

    /// <summary>The device or the socket.</summary>
    public string Path { get; }

    /// <summary>Whether nobody else can hold objects in it while it is open here, so that what is found loaded at the
    /// opening belongs to a dead predecessor.</summary>
    internal abstract bool IsOurs { get; }

    /// <summary>Reads <c>device:/dev/tpmrm0</c> or <c>swtpm:/path/of/a.sock</c>.</summary>
    /// <exception cref="FormatException">It is neither; the message says what is expected.</exception>
    public static TpmAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(DevicePrefix, StringComparison.Ordinal))
        {
            return Device(text[DevicePrefix.Length..]);
        }

        if (text.StartsWith(SwtpmPrefix, StringComparison.Ordinal))
        {
            return Swtpm(text[SwtpmPrefix.Length..]);
        }

        throw new FormatException(
            $"\"{text}\" is no address of a TPM; it is {DevicePrefix}/dev/tpmrm0 or {SwtpmPrefix}/path/of/a.sock.");
    }

    /// <summary>A character device of the kernel's driver: <c>/dev/tpmrm0</c> (with the kernel's resource manager,
    /// several programs at once) or <c>/dev/tpm0</c> (one program).</summary>
    /// <exception cref="FormatException">The path is not absolute.</exception>
    public static TpmAddress Device(string path) => new DeviceAddress(Checked(path));

    /// <summary>The data socket of a software TPM (swtpm(8), <c>--server type=unixio</c>), which serves one program at
    /// a time.</summary>
    /// <exception cref="FormatException">The path is not absolute or longer than a socket's address (unix(7)).
    /// </exception>
    public static TpmAddress Swtpm(string path) =>
        System.Text.Encoding.UTF8.GetByteCount(Checked(path)) > AccessLimits.SocketPathBytes
            ? throw new FormatException(
                $"\"{path}\" is longer than the {AccessLimits.SocketPathBytes} bytes of a socket's address.")
            : new SwtpmAddress(path);

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public sealed override string ToString() => (this is SwtpmAddress ? SwtpmPrefix : DevicePrefix) + Path;

    private static string Checked(string path) => System.IO.Path.IsPathFullyQualified(path)
        ? path
        : throw new FormatException($"\"{path}\" is not an absolute path.");

    internal sealed record DeviceAddress : TpmAddress
    {
        internal DeviceAddress(string path)
            : base(path)
        {
        }

        internal override bool IsOurs => false;
    }

    internal sealed record SwtpmAddress : TpmAddress
    {
        internal SwtpmAddress(string path)
            : base(path)
        {
        }

        internal override bool IsOurs => true;
    }
}
