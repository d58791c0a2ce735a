using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Leasing;
using Bailiwick.KeyService.Proving;
using Bailiwick.KeyService.Releasing;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.KeyService.Hierarchy;

/// <summary>
/// Where hosts learn what to remove from the pool, and say what became of it. A key is destroyed before anybody is
/// asked, so a host that does nothing, or lies, gives nobody the bytes back. The host that had the key last is asked;
/// where it has no lease any more, any that has one. An order is given again until it is answered.
/// </summary>
/// <param name="vault">What destroyed keys had opened.</param>
/// <param name="keys">Tells the ledger.</param>
/// <param name="leases">Who is trusted now.</param>
/// <param name="policy">The policies in force: they name hosts and their keys.</param>
/// <param name="identity">Signs orders.</param>
public sealed class ScrubDesk(
    KeyVault vault, HierarchyDesk keys, LeaseBook leases, Func<PolicySnapshot?> policy, ISigner identity)
{
    /// <summary>The most orders of one answer.</summary>
    public const int MostOrders = 16;

    private const int MostOpen = 4096;
    private const string Journal = "release journal";

    /// <summary>The orders for the calling host.</summary>
    public RouteAnswer<ScrubOrdersBody> Orders(RouteCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return CallerOf(call.Caller) is { } host
            ? new RouteAnswer<ScrubOrdersBody>.Ok(new ScrubOrdersBody(
            [
                .. vault.OpenScrubs(MostOpen).Where(one => IsFor(one, host)).Take(MostOrders)
                    .Select(one => JsonElement.Parse(ScrubOrder.Write(Thing(one), host, identity))),
            ]))
            : new RouteAnswer<ScrubOrdersBody>.Refused(RefusalProblem.NotReady);
    }

    /// <summary>Takes the calling host's word on what became of the bytes. The first counts; again is no fault.
    /// </summary>
    public RouteAnswer<Nothing> Report(RouteCall call, ScrubReportBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { } snapshot || CallerOf(call.Caller) is not { } host
            || ReleaseControl.IdentityKeyOf(snapshot.Datacentre, host) is not { } key)
        {
            return new RouteAnswer<Nothing>.Refused(RefusalProblem.NotReady);
        }

        byte[] envelope = ShownDocuments.Canonical(body.Report);
        if (ScrubReport.Verify(envelope, key, out string fault) is not { } report)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.BadDocument(fault));
        }

        if (report.Host != host || Found(body.Serial) is not { } kept
            || ScrubOrder.DigestOf(Thing(kept), host) != report.Order)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.NoSuchOrder);
        }

        if (kept.Report.Length > 0)
        {
            return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt(Journal, kept.Record));
        }

        long record = vault.AnswerScrub(
            new JournalRecord.Scrubbed(
                kept.Key, kept.Serial, host.ToString(), WireText.Of(report.Findings.Outcome), report.Digest.Hex),
            HasLease(host), Encoding.UTF8.GetString(envelope));
        keys.TellAnswered(kept.Record);
        return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt(Journal, record));
    }

    /// <summary>What is to be removed from the pool when a key is destroyed; a seed is drawn for it.</summary>
    internal static KeptScrub? Of(GoneKey gone, CheckedDatacentre datacentre)
    {
        WipeMethod wipe = datacentre.Machinery.Volumes.GetValueOrDefault(gone.Key)?.Wipe ?? WipeMethod.Overwrite;
        string header = VolumeMark.Read(gone.Mark)?.Header is VolumeHeaderMark.Bound bound ? bound.Header.Hex : "";
        return new KeptScrub(gone.Serial, gone.Key, gone.Domain)
        {
            Host = gone.LastHost, Header = header, Wipe = WireText.Of(wipe),
            Seed = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Digest32.Length)),
        };
    }

    /// <summary>What hosts answered, for a receipt.</summary>
    internal static IEnumerable<ScrubbedKey> Answered(IEnumerable<KeptScrub> scrubs) =>
        scrubs.Where(one => one.Report.Length > 0).Select(one =>
        {
            using JsonDocument report = JsonDocument.Parse(one.Report);
            byte[] payload = Convert.FromBase64String(report.RootElement.GetProperty("payload").GetString() ?? "");
            JsonElement said = JsonElement.Parse(payload);
            return WireText.TryParse(said.GetProperty("outcome").GetString(), out ScrubOutcome outcome)
                && WireText.TryParse(said.GetProperty("storage").GetString(), out ScrubStorage storage)
                ? new ScrubbedKey(one.Key, outcome, Digest32.Of(payload))
                {
                    Bytes = said.GetProperty("bytes").GetInt64(), Storage = storage, Host = one.Answered,
                    IsVouched = one.IsVouched,
                }
                : throw new CustodyException($"The stored report about {one.Key} cannot be read; restore the store.");
        });

    private KeptScrub? Found(string serial) =>
        Digest32.TryParse(serial, out Digest32? read) ? vault.Scrub(read.Hex) : null;

    /// <summary>A name that has a key again is not scrubbed by what was destroyed before, unless a header tells them
    /// apart.</summary>
    private bool IsFor(KeptScrub one, HostRef host) =>
        (one.Header.Length > 0 || vault.DomainOf(one.Key) is null)
        && (one.Host == host.ToString()
            || (HasLease(host) && (HostOf(one.Host) is not { } last || !HasLease(last))));

    private bool HasLease(HostRef host) =>
        leases.DomainsOf(host).Any(domain => leases.Doubt(host, domain) is null);

    private HostRef? HostOf(string text) =>
        policy()?.Datacentre.Inventory.Hosts.GetValueOrDefault(text)?.Ref;

    private static HostRef? CallerOf(Principal caller) =>
        caller is { Party: { } party, Host: { } name } ? new HostRef(party, name) : null;

    private static ScrubbedThing Thing(KeptScrub kept) =>
        KeySubject.Read(kept.Key) is { } key && Digest32.TryParse(kept.Serial, out Digest32? serial)
        && Digest32.TryParse(kept.Seed, out Digest32? seed) && WireText.TryParse(kept.Wipe, out WipeMethod wipe)
            ? new ScrubbedThing(key, serial, seed)
            {
                Header = Digest32.TryParse(kept.Header, out Digest32? header) ? header : null, Wipe = wipe,
            }
            : throw new CustodyException($"What is stored of {kept.Key} cannot be read; restore the store.");
}
