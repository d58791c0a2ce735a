using System.Diagnostics;
using System.Globalization;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Hosts;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// A volume is erased: two root keys approve, the key service destroys the key, the host that had it last removes the
/// bytes, and the receipt is checked by its owner without anybody's help and found in the ledger.
/// </summary>
internal sealed class ErasureAct(DemoStage stage)
{
    private const string Name = "bank/ledger-2";
    private const string Volume = "ledger-2-data";
    private const string Tenant = "bank";
    private const double Limit = 60;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    internal async Task<DemoCheck> Play(CancellationToken cancellation)
    {
        using BoardDesk desk = stage.Deployment.Board(Tenant);
        PartyDirectory party = stage.Deployment.Desks.Desks[Tenant];
        PublicKey identity = KeyOf(Tenant);
        using HttpClient http = desk.KeyService(identity.Id, party.Facts.KeyServiceAddress);
        KeyServiceClient service = new(http);
        DemoMachine machine = stage.Machine(Name);
        var volume = new VolumeRef(machine.Model.Ref.Tenant, StatementName.Parse(Volume));
        string file = Path.Combine(
            stage.Deployment.Paths.Pool, DerivedNames.Digits(volume.ToString(), DerivedNames.VolumeDigits) + ".luks");
        bool wasThere = File.Exists(file);
        await desk.Board.SetPower(machine.Model.Ref.ToString(), false, cancellation).ConfigureAwait(false);
        await Returned(service, volume, cancellation).ConfigureAwait(false);

        byte[] approval = await Approve(service, party, volume, cancellation).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        byte[] receipt = await service.Destroy(approval, cancellation).ConfigureAwait(false);
        double destroyed = clock.Elapsed.TotalMilliseconds;
        while (File.Exists(file) && clock.Elapsed.TotalSeconds < Limit)
        {
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
        }

        ErasureReceipt? mine = null;
        while (mine is not { Keys.Pending: 0 } && clock.Elapsed.TotalSeconds < Limit)
        {
            receipt = await service.Destroy(approval, cancellation).ConfigureAwait(false);
            mine = ErasureReceipt.Verify(receipt, identity, out _);
        }

        bool isForged = ErasureReceipt.Verify(receipt, KeyOf("hospital"), out string fault) is null;
        bool inLedger = mine is not null
            && await IsInLedger(desk, ErasureReceipt.DigestOf(mine.Keys), cancellation).ConfigureAwait(false);
        return new DemoCheck(
            "a volume is erased with a receipt that its owner checks offline",
            wasThere && !File.Exists(file) && mine is { Keys: { Pending: 0, Count: 1 } } && isForged && inLedger,
            string.Create(CultureInfo.InvariantCulture,
                $"the key of {Tenant}/{Volume} was destroyed in {destroyed:F0} ms, the bytes were ")
            + $"{(mine is { Keys.Scrubs: [var scrubbed, ..] } ? WireText.Of(scrubbed.Outcome) : "not answered for")} "
            + $"by {machine.Host}; receipt signed by the bank's key service: {mine is not null}, taken for the "
            + $"hospital's: {(isForged ? $"refused, {fault}" : "accepted")}; in the ledger: {inLedger}");
    }

    private PublicKey KeyOf(string tenant) => stage.Deployment.Desks.Desks[tenant].Facts.KeyService
        ?? throw new LabException("the tenant has no key service", tenant, "read its tenant.yaml");

    private static async Task<byte[]> Approve(
        KeyServiceClient service, PartyDirectory party, VolumeRef volume, CancellationToken cancellation)
    {
        KeyTreeBody tree = await service.Keys(cancellation).ConfigureAwait(false);
        KeptKeyBody kept = tree.Domains.SelectMany(domain => domain.Keys).Single(key => key.Key == volume.ToString());
        return Digest32.TryParse(kept.Serial, out Digest32? serial)
            ? DestroyDocument.Write(
                new DestroySubject.OfKey(new KeySubject.Volume(volume)), serial,
                party.OpenRoots(party.Facts.Threshold))
            : throw new LabException("the key service names no serial", volume.ToString(), "read its log");
    }

    /// <summary>The machine has ended, and its host gave the key back.</summary>
    private static async Task Returned(KeyServiceClient service, VolumeRef volume, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        bool isHeld = true;
        while (isHeld && clock.Elapsed.TotalSeconds < Limit)
        {
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            KeyServiceStatus status = await service.Status(cancellation).ConfigureAwait(false);
            isHeld = status.Volumes.Any(one => one.Volume == volume.ToString() && !one.Holders.IsEmpty);
        }
    }

    /// <summary>Whether the key service's statement of this receipt is in the log, by its verified signature.</summary>
    private static async Task<bool> IsInLedger(BoardDesk desk, Digest32 receipt, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        StatementBook book = StatementBook.Empty;
        long next = 0;
        while (clock.Elapsed.TotalSeconds < Limit)
        {
            EntriesPage page = await desk.Board.Entries(next, 500, cancellation).ConfigureAwait(false);
            foreach (BoardEntry entry in page.Entries)
            {
                next = entry.Index + 1;
                if (entry.Envelope is { } envelope
                    && book.Consider(CanonicalJson.Write(envelope)) is StatementVerdict.Accepted accepted)
                {
                    book = accepted.Next;
                    if (KeyChangeNotice.Read(accepted.Statement)?.Receipt == receipt)
                    {
                        return true;
                    }
                }
            }

            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
        }

        return false;
    }
}
