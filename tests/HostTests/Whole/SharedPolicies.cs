namespace Bailiwick.HostTests.Whole;

/// <summary>
/// The small policies, with an archive of the bank's that its ledger machine writes and the hospital's machine reads:
/// by both policies, from another host if the planner so chooses.
/// </summary>
internal static class SharedPolicies
{
    internal const string Volume = "ledger-archive";

    /// <summary>The archive's disk, in the owner's machine as in the reader's.</summary>
    internal const string Disk = "vdb";

    internal const string Owner = SmallPolicies.Ledger;
    internal const string Reader = SmallPolicies.Records;

    /// <summary>The owner's half of the flow.</summary>
    internal const string Grant = "    - {to: hospital/records, volume: {name: ledger-archive, access: read}}\n";

    private const string Acceptance = "    - {from: bank/ledger, volume: {name: ledger-archive, access: read}}\n";

    private const string Archive =
        "---\nkind: Volume\nname: ledger-archive\ndomain: ledger\nsizeMiB: 1\nwipe: crypto-erase\nsharing: readers\n";

    /// <summary>Writes them below a directory.</summary>
    internal static string Write(string directory)
    {
        SmallPolicies.Write(directory);
        Change(
            Path.Combine(directory, "bank", "ledger.yaml"),
            ("  grants: []\n", "  grants:\n" + Grant),
            ("{volume: ledger-1-data, access: write}",
                "{volume: ledger-1-data, access: write}, {volume: ledger-archive, access: write}"));
        File.AppendAllText(Path.Combine(directory, "bank", "ledger.yaml"), Archive);
        Change(
            Path.Combine(directory, "hospital", "records.yaml"),
            ("  accepts: []\n", "  accepts:\n" + Acceptance),
            ("{volume: records-1-data, access: write}",
                "{volume: records-1-data, access: write}, {volume: bank/ledger-archive, access: read}"));
        return directory;
    }

    /// <summary>Replaces each text in a file; it must be there.</summary>
    internal static void Change(string file, params (string From, string To)[] changes)
    {
        string text = File.ReadAllText(file);
        foreach ((string from, string to) in changes)
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        File.WriteAllText(file, text);
    }
}
