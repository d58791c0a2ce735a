namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>How what a host sends to others is shared out between the domains that it runs machines of.</summary>
/// <param name="said">What is stated.</param>
/// <param name="runs">The machines that run, and where.</param>
internal sealed class NaiveUplinks(Sketch said, IReadOnlyDictionary<string, string> runs)
{
    /// <summary>Each domain that has a part: what it gets when others want more, and what it gets at most.</summary>
    public IEnumerable<(string Domain, int Reserve, int Limit)> Parts(string host)
    {
        if (said.Hosts[host].UplinkMbit is not { } whole)
        {
            return [];
        }

        var here = said.Domains.Where(one => one.Value.Bandwidth is not null && Runs(host, one.Key)).ToArray();
        // Nine tenths can be reserved. Where that is not enough nobody gets more than an equal part of it.
        int[] reserved = [.. here.Select(one => one.Value.Bandwidth?.Reserve ?? 0).Where(mbit => mbit > 0)];
        int most = reserved.Sum() <= whole * 9 / 10 ? whole : whole * 9 / 10 / reserved.Length;
        return here.Select(one => (
            one.Key, Math.Min(one.Value.Bandwidth?.Reserve ?? 0, most),
            Math.Min(one.Value.Bandwidth?.Limit ?? whole, whole)));
    }

    /// <summary>Which of two domains pays for what their passage sends from a host: the first that is there.</summary>
    public string Payer(string host, IEnumerable<string> domains) =>
        domains.Where(domain => Runs(host, domain)).OrderBy(NaiveVlans.Reference, StringComparer.Ordinal).First();

    private bool Runs(string host, string domain) =>
        runs.Any(one => one.Value == host && said.Machines[one.Key].IsIn(domain));
}
