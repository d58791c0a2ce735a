using System.Diagnostics;
using System.Runtime.InteropServices;
using Bailiwick.Keyring.Tokens;

namespace Bailiwick.Tests.Keyring;

/// <summary>
/// Tokens of SoftHSM in a directory of this process, with an RSA key `master`, another `other`, a small one and a P-256
/// key `root` each. A token stays logged in for a process, so a wrong PIN is tried on a token that nobody else opens.
/// </summary>
internal sealed partial class SoftToken
{
    public const string Pin = "56785678";
    private const string Module = "/usr/lib/softhsm/libsofthsm2.so";
    private static readonly Lazy<string> Ready = new(Make);

    private static readonly (string Name, string Kind, string Id)[] Keys =
    [
        ("master", "rsa:2048", "01"), ("other", "rsa:2048", "02"), ("small", "rsa:1024", "03"),
        ("root", "EC:prime256v1", "04"), ("long", "EC:secp384r1", "05"),
    ];

    private SoftToken(string label) => Label = label;

    /// <summary>The token that tests use with its right PIN.</summary>
    public static SoftToken Bank { get; } = new("bank");

    /// <summary>The token that is never opened.</summary>
    public static SoftToken Locked { get; } = new("locked");

    public string Label { get; }

    public static string PinFile => Path.Combine(Ready.Value, "pin");

    public static string WrongPinFile => Path.Combine(Ready.Value, "wrong");

    public TokenUri Key(string name)
    {
        _ = Ready.Value;
        return TokenUri.Read($"pkcs11:token={Label};object={name}");
    }

    private static string Make()
    {
        string root = Directory.CreateTempSubdirectory("bw-token-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(root, recursive: true);
        Directory.CreateDirectory(Path.Combine(root, "tokens"));
        Place(root, "softhsm2.conf", $"directories.tokendir = {root}/tokens\nobjectstore.backend = file\n");
        Place(root, "pin", Pin);
        Place(root, "wrong", "wrong-one");
        Set("SOFTHSM2_CONF", Path.Combine(root, "softhsm2.conf"));
        Set("PKCS11_MODULE_PATH", Module);
        foreach (string label in new[] { "bank", "locked" })
        {
            Run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", Pin,
                "--so-pin", "12345678");
            string[] make = ["--module", Module, "--token-label", label, "--login", "--pin", Pin, "--keypairgen"];
            foreach (var (name, kind, id) in Keys)
            {
                // The engine finds the public half by the id.
                Run("pkcs11-tool", [.. make, "--key-type", kind, "--label", name, "--id", id]);
            }
        }

        return root;
    }

    /// <summary>For programs that are started, which get .NET's copy, and for the module, which reads the process's.
    /// </summary>
    private static void Set(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        Assert.Equal(0, setenv(name, value, 1));
    }

    private static void Place(string root, string name, string content)
    {
        string path = Path.Combine(root, name);
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static void Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException(program);
        string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {said}");
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
