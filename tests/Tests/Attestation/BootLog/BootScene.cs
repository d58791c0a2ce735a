using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;

namespace Bailiwick.Tests.Attestation.BootLog;

/// <summary>A good boot by GRUB, and the predicates it satisfies; each test changes one thing.</summary>
internal sealed class BootScene
{
    internal const string Line = "/vmlinuz root=/dev/vda1 ro lockdown=confidentiality";
    internal static readonly Guid Owner = new("77fa9abd-0359-4d32-bd60-28f4e78f784b");
    internal static readonly byte[] Certificate = [0x30, 0x03, 1, 2, 3];

    internal byte[] SecureBoot { get; set; } = [1];

    internal byte[] Database { get; set; } =
        BootLogWriter.Signatures(SignatureEntry.X509, Owner, [Certificate]);

    internal byte[] Separator { get; set; } = [0, 0, 0, 0];

    internal int[] Separated { get; set; } = [0, 1, 2, 3, 4, 5, 6, 7];

    internal string CommandLine { get; set; } = Line;

    internal string CommandLineLabel { get; set; } = "kernel_cmdline: ";

    internal Action<BootLogWriter>? BeforeKernel { get; set; }

    internal Action<BootLogWriter>? AtEnd { get; set; }

    internal bool Exits { get; set; } = true;

    internal static IReadOnlyList<Predicate> Predicates { get; } =
    [
        new Predicate.CryptoAgile(),
        new Predicate.SecureBoot(On: true),
        new Predicate.SecureBootKeys(KeyDatabase.Allowed, [Owner], ReferenceSet.Of([Sha256(Certificate)])),
        new Predicate.FirmwareVersion(["Firmware 7"]),
        new Predicate.BootApplications(ReferenceSet.Of([Sha256("shim"), Sha256("grub")])),
        new Predicate.Kernel(ReferenceSet.Of([Sha256("kernel")])),
        new Predicate.Initrd(ReferenceSet.Of([Sha256("initrd")])),
        new Predicate.BootFiles(ReferenceSet.Of([Sha256("grub.cfg")])),
        new Predicate.CommandLine([Line]),
        new Predicate.CommandLineWords(["lockdown=confidentiality"], ["init="]),
        new Predicate.BootEvents(2, ReferenceSet.Of([Sha256("driver")])),
        new Predicate.ExitBootServices(),
    ];

    internal static string Sha256(string text) => Sha256(Encoding.UTF8.GetBytes(text));

    internal static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    internal byte[] Write()
    {
        var log = new BootLogWriter();
        log.Add(0, BootEventType.CrtmVersion, Encoding.Unicode.GetBytes("Firmware 7\0"));
        log.Add(7, BootEventType.EfiVariableDriverConfig,
            BootLogWriter.Variable(BootLogWriter.Global, "SecureBoot", SecureBoot));
        log.Add(7, BootEventType.EfiVariableDriverConfig,
            BootLogWriter.Variable(BootLogWriter.ImageSecurity, "db", Database));
        log.Add(2, BootEventType.EfiBootServicesDriver, "a path", "driver");
        log.Add(4, BootEventType.EfiAction, "Calling EFI Application from Boot Option");
        foreach (int pcr in Separated)
        {
            log.Add(pcr, BootEventType.Separator, Separator);
        }

        log.Add(4, BootEventType.EfiBootServicesApplication, "a path", "shim");
        log.Add(4, BootEventType.EfiBootServicesApplication, "a path", "grub");
        log.Add(9, BootEventType.Ipl, "(hd0)/grub.cfg\0", "grub.cfg");
        log.Add(8, BootEventType.Ipl, "grub_cmd: linux /vmlinuz\0", "linux /vmlinuz");
        BeforeKernel?.Invoke(log);
        log.Add(9, BootEventType.Ipl, "/vmlinuz\0", "kernel");
        log.Add(8, BootEventType.Ipl, CommandLineLabel + CommandLine + "\0", CommandLine);
        log.Add(9, BootEventType.Ipl, "/initrd\0", "initrd");
        if (Exits)
        {
            log.Add(5, BootEventType.EfiAction, "Exit Boot Services Invocation");
            log.Add(5, BootEventType.EfiAction, "Exit Boot Services Returned with Success");
        }

        AtEnd?.Invoke(log);
        return log.Bytes;
    }

    /// <summary>The kinds of the predicates that this boot breaks.</summary>
    internal string[] Broken(IReadOnlyList<Predicate>? predicates = null)
    {
        AppraisalReport report = Appraisal.Judge(predicates ?? Predicates, BootLogWriter.Facts(Write()), null);
        Assert.Equal(report.Holds, report.Outcomes.All(o => o.Satisfied));
        Assert.All(report.Outcomes, o => Assert.NotEmpty(o.Sentence));
        return [.. report.Outcomes.Where(o => !o.Satisfied).Select(o => o.Predicate.GetType().Name)];
    }
}
