using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Durable.Files;
using Bailiwick.HostTests.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Proxy;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;

namespace Bailiwick.HostTests.Integrity;

/// <summary>The integrity log and the register of a real software TPM keep each other honest.</summary>
public sealed class IntegrityRegisterTests : IClassFixture<PrivateSwtpm>, IDisposable
{
    private static readonly Guid Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000");
    private readonly PrivateSwtpm _swtpm;
    private readonly string _path = Directory.CreateTempSubdirectory("bailiwick-integrity-").FullName;
    private readonly PrivateDirectory _directory;

    public IntegrityRegisterTests(PrivateSwtpm swtpm)
    {
        _swtpm = swtpm;
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        swtpm.PowerCycle();
    }

    private string File => Path.Combine(_path, "integrity.log");

    public void Dispose()
    {
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void Every_entry_extends_the_register_and_a_reopened_log_goes_on()
    {
        With(log =>
        {
            Assert.Equal(IntegrityKind.Boot, Assert.Single(log.Read(0, 10)).Entry.Kind);
            log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", "a plan");
        });
        Digest32 between = Register();
        Assert.Equal(Expected(), between);
        With(log =>
        {
            Assert.Equal(2, log.Head.Entries);
            log.Record(IntegrityKind.Drift, IntegrityReaders.Everyone, "two", "");
        });
        Assert.Equal(3, Entries().Length);
        Assert.Equal(Expected(), Register());
        Assert.NotEqual(between, Register());
    }

    [Fact]
    public void Refuses_a_log_that_was_cut_by_one_entry()
    {
        With(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", ""));
        long length = new FileInfo(File).Length;
        With(log => log.Record(IntegrityKind.ManagementRead, IntegrityReaders.Everyone, "two", ""));
        byte[] whole = System.IO.File.ReadAllBytes(File);
        Cut(length);
        AssertRefused();
        System.IO.File.WriteAllBytes(File, whole);
        With(log => Assert.Equal(3, log.Head.Entries));
    }

    [Fact]
    public void Refuses_a_log_with_a_foreign_entry_in_the_place_of_its_last()
    {
        With(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", ""));
        long length = new FileInfo(File).Length;
        With(log => log.Record(IntegrityKind.ManagementRead, IntegrityReaders.Everyone, "two", ""));
        Cut(length);
        WithoutTpm(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "two", ""));
        Assert.Equal(3, Entries().Length);
        AssertRefused();
    }

    [Fact]
    public void Refuses_a_log_that_begins_anew_in_the_middle_of_a_boot()
    {
        With(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", ""));
        System.IO.File.Delete(File);
        AssertRefused();
    }

    [Fact]
    public void Refuses_a_register_that_somebody_else_extended()
    {
        With(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", ""));
        using (HostTpm tpm = Tpm())
        {
            tpm.Extend(Digest32.Of("somebody else"u8));
        }

        AssertRefused();
    }

    [Fact]
    public void Completes_an_entry_that_was_written_and_not_extended_and_no_second_one()
    {
        With(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", ""));
        Digest32 before = Register();
        WithoutTpm(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "two", ""));
        Assert.Equal(before, Register());
        With(log => Assert.Equal(3, log.Head.Entries));
        Assert.Equal(Expected(), Register());

        WithoutTpm(log =>
        {
            log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "three", "");
            log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "four", "");
        });
        AssertRefused();
    }

    [Fact]
    public void A_reset_of_the_TPM_begins_with_a_boot_and_keeps_what_was_before()
    {
        With(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", ""));
        IntegrityEntry[] before = Entries();
        _swtpm.PowerCycle();
        Assert.Equal(IntegrityHead.Zero, Register());
        With(log => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "two", ""));
        IntegrityEntry[] after = Entries();
        Assert.Equal(before, after[..2]);
        Assert.Equal((IntegrityKind.Boot, Boot.ToString("D")), (after[2].Kind, after[2].Subject));
        Assert.Equal(Expected(), Register());
        With(log => Assert.Equal(4, log.Head.Entries));
    }

    [Fact]
    public void A_boot_that_was_written_and_not_extended_is_written_again()
    {
        WithoutTpm(log => Assert.Equal(1, log.Head.Entries));
        With(log => Assert.Equal(2, log.Head.Entries));
        Assert.Equal(Expected(), Register());
        With(log => Assert.Equal(2, log.Head.Entries));
    }

    [Fact]
    public void A_TPM_that_is_gone_lets_nothing_happen_and_leaves_at_most_one_entry_behind()
    {
        using (HostTpm tpm = Tpm())
        using (IntegrityManager log = IntegrityManager.Open(_directory, Boot, tpm))
        {
            log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "one", "");
            _swtpm.Kill();
            Assert.Throws<WorldException>(() => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "two", ""));
            Assert.Throws<WorldException>(() => log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "three", ""));
            Assert.Equal(3, log.Head.Entries);
        }

        _swtpm.PowerOn();
        Assert.Equal(3, Entries().Length);
        With(log => Assert.Equal(4, log.Head.Entries));
    }

    private HostTpm Tpm() => HostTpm.Open(_swtpm.Address.ToString());

    private void With(Action<IntegrityManager> act)
    {
        using HostTpm tpm = Tpm();
        using IntegrityManager log = IntegrityManager.Open(_directory, Boot, tpm);
        act(log);
    }

    private void WithoutTpm(Action<IntegrityManager> act)
    {
        using IntegrityManager log = IntegrityManager.Open(_directory, Boot);
        act(log);
    }

    private Digest32 Register()
    {
        using HostTpm tpm = Tpm();
        return tpm.ReadIntegrityRegister();
    }

    private IntegrityEntry[] Entries() => [.. Lines().Select(line => line.Entry)];

    private IReadOnlyList<IntegrityLine> Lines()
    {
        using IntegrityManager log = IntegrityManager.Open(_directory, Boot);
        return log.Read(0, 100);
    }

    /// <summary>What the register must hold after the commitments of the newest boot.</summary>
    private Digest32 Expected()
    {
        List<IntegrityLine> lines = [.. Lines()];
        int boot = lines.FindLastIndex(line => line.Entry.Kind == IntegrityKind.Boot);
        return lines[boot..].Aggregate(IntegrityHead.Empty, (head, line) => head.Extend(line.Commitment)).Digest;
    }

    private void Cut(long length)
    {
        using FileStream file = new(File, FileMode.Open, FileAccess.Write);
        file.SetLength(length);
    }

    private void AssertRefused()
    {
        using HostTpm tpm = Tpm();
        Digest32 register = tpm.ReadIntegrityRegister();
        int entries = Entries().Length;
        ConfigurationException error = Assert.Throws<ConfigurationException>(
            () => IntegrityManager.Open(_directory, Boot, tpm));
        Assert.Contains("does not hold what integrity.log says", error.Message, StringComparison.Ordinal);
        Assert.Equal(register, tpm.ReadIntegrityRegister());
        Assert.Equal(entries, Entries().Length);
    }
}
