using System.Collections.Immutable;

namespace Bailiwick.Attestation.BootLog;

/// <summary>
/// What a quoted boot proves, event by event. One rule keeps it honest: an event's data counts only where the digest in
/// the quoted bank is the digest of that data; the log's types and labels are chosen by whoever hands the log over, so
/// they decide nothing (CVE-2022-0317 and its kin). Where only the digest is known the fact is a
/// <see cref="BootFact.Content"/>.
/// </summary>
public sealed class BootFacts
{
    private BootFacts(ExplainedBoot boot, ImmutableArray<BootFact> all)
    {
        Boot = boot;
        All = all;
    }

    /// <summary>The log and the quote that vouch for it.</summary>
    public ExplainedBoot Boot { get; }

    /// <summary>One fact for each event of an explained PCR that has a digest in the quoted bank, in order.</summary>
    public ImmutableArray<BootFact> All { get; }

    /// <summary>Takes what is proven out of a log.</summary>
    /// <param name="boot">The log, explained by a quote.</param>
    /// <param name="claimedCommandLines">
    /// Command lines that the host says were used: Linux's EFI stub measures its command line and leaves the text out
    /// of the log. A claim counts only where its digest is that of an event.
    /// </param>
    public static BootFacts Of(ExplainedBoot boot, IEnumerable<string>? claimedCommandLines = null)
    {
        ArgumentNullException.ThrowIfNull(boot);
        using var reader = new BootFactReader(boot.Quoted.Bank, claimedCommandLines ?? []);
        var all = ImmutableArray.CreateBuilder<BootFact>();
        for (int i = 0; i < boot.Log.Count; i++)
        {
            BootEvent one = boot.Log[i];
            if (one.Extends && boot.Pcrs.Contains((int)one.Pcr) && !one.Digest(boot.Quoted.Bank).IsEmpty)
            {
                all.Add(reader.Read(one));
            }
        }

        return new BootFacts(boot, all.ToImmutable());
    }

    /// <summary>
    /// The same facts by another quote over the same log; null where that explains other PCRs, whose events must be
    /// read. What of the log is a fact depends on nothing else of a quote.
    /// </summary>
    internal BootFacts? Over(ExplainedBoot boot) =>
        ReferenceEquals(boot.Log, Boot.Log) && boot.Quoted.Bank == Boot.Quoted.Bank && boot.Pcrs.SetEquals(Boot.Pcrs)
            ? new BootFacts(boot, All)
            : null;

    /// <summary>Whether these are the very facts of the very log, by whichever quote.</summary>
    internal bool IsSameAs(BootFacts other) => All == other.All && ReferenceEquals(Boot.Log, other.Boot.Log);

    /// <summary>The facts of one PCR, in their measured order.</summary>
    public IEnumerable<BootFact> In(int pcr) => All.Where(f => f.Pcr == pcr);

    /// <summary>The variables of this name that the firmware measured into PCR 7 before its separator.</summary>
    internal IEnumerable<BootFact.Variable> Variables(Guid vendor, string name) =>
        All.OfType<BootFact.Variable>().Where(v => v is { Pcr: 7, BeforeSeparator: true } && v.Vendor == vendor
            && v.Name == name);
}
