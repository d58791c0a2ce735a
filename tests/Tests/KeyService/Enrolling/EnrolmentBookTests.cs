using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Attestation.Quotes;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Enrolling;

/// <summary>The first TPM that answered for a host keeps it, over every restart.</summary>
public sealed class EnrolmentBookTests : IDisposable
{
    private const string Host = "0000000000000000000000000000000000000000000000000000000000000001/host-1";
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private readonly string _path = Directory.CreateTempSubdirectory("bw-enrol-").FullName;
    private readonly PrivateDirectory _directory;
    private readonly SoftwareTpm _tpm = new();

    public EnrolmentBookTests() => _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);

    public void Dispose()
    {
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void The_first_TPM_keeps_its_host_also_after_a_restart()
    {
        EnrolledKey first = _tpm.Enrol(Bank, Host), second = new SoftwareTpm().Enrol(Bank, Host);
        using (EnrolmentBook book = Open())
        {
            Assert.Null(book.Find(Host));
            var kept = book.Keep(first);
            Assert.Equal(0, kept?.Record);
            Assert.NotNull(EnrolmentDocument.Verify(kept?.Document, Bank, Service.PublicKey, out _));
            Assert.Null(book.Keep(second));
            Assert.Equal(first.EndorsementKey, book.Find(Host)?.EndorsementKey);
            Assert.NotNull(book.Keep(new SoftwareTpm().Enrol(Bank, Host[..^1] + "2")));
        }

        using EnrolmentBook again = Open();
        Assert.Equal(first.EndorsementKey, again.Find(Host)?.EndorsementKey);
        Assert.Equal(first.AttestationKey.Area, again.Find(Host)?.AttestationKey.Area);
        Assert.Null(again.Keep(second));
        Assert.NotNull(again.Keep(first));
    }

    [Fact]
    public void A_new_attestation_key_of_the_same_TPM_takes_the_place_of_the_old_one()
    {
        EnrolledKey first = _tpm.Enrol(Bank, Host);
        _tpm.Quoting = QuoteMaker.Ecc(TpmCurve.P256, TpmHash.Sha256);
        EnrolledKey second = _tpm.Enrol(Bank, Host);
        Assert.NotEqual(first.AttestationKey.Area, second.AttestationKey.Area);
        using (EnrolmentBook book = Open())
        {
            Assert.NotNull(book.Keep(first));
            Assert.Equal(1, book.Keep(second)?.Record);
        }

        using EnrolmentBook again = Open();
        Assert.Equal(second.AttestationKey.Area, again.Find(Host)?.AttestationKey.Area);
    }

    [Fact]
    public void A_host_of_a_similar_name_is_another_host()
    {
        using EnrolmentBook book = Open();
        Assert.NotNull(book.Keep(_tpm.Enrol(Bank, Host)));
        foreach (string other in (string[])[Host.ToUpperInvariant(), Host + " ", Host.Replace("o", "\u043e"), "host-1"])
        {
            Assert.Null(book.Find(other));
        }

        Assert.NotNull(book.Find(Host));
    }

    [Fact]
    public void Does_not_open_with_a_record_that_another_signed_or_of_another_tenant()
    {
        using (EnrolmentBook book = Open())
        {
            Assert.NotNull(book.Keep(_tpm.Enrol(Bank, Host)));
        }

        EcdsaSigner stranger = Signatory.NewKey();
        CustodyException error = Assert.Throws<CustodyException>(() =>
            EnrolmentBook.Open(_directory, Bank, stranger.PublicKey, stranger).Dispose());
        Assert.Contains("Record 0 of enrolments.log is none of ours", error.Message, StringComparison.Ordinal);
        Assert.Throws<CustodyException>(() => EnrolmentBook
            .Open(_directory, PartyId.Unsigned("hospital"), Service.PublicKey, Service).Dispose());
        using EnrolmentBook again = Open();
        Assert.NotNull(again.Find(Host));
    }

    private EnrolmentBook Open() => EnrolmentBook.Open(_directory, Bank, Service.PublicKey, Service);
}
