namespace Bailiwick.HostTests.Whole;

/// <summary>One tenant, one domain, and one machine that only reads its boot volume.</summary>
internal static class SealedPolicies
{
    internal const string Machine = "bank/vault-1";

    /// <summary>What no volume holds.</summary>
    internal static string Nothing => new('0', 64);

    /// <summary>Writes them below a directory: the measured machine's, with another machine and image.</summary>
    internal static string Write(string directory)
    {
        MeasuredPolicies.Write(directory);
        File.WriteAllText(Path.Combine(directory, MeasuredPolicies.ImageFile), Image(Nothing));
        string file = Path.Combine(directory, "bank", "vault.yaml");
        string vault = File.ReadAllText(file);
        string changed = vault.Replace(
            "firmware: ovmf\ntpm: required\n", "disks: [{volume: vault-1-root, access: read}]\n",
            StringComparison.Ordinal);
        Assert.NotEqual(vault, changed);
        File.WriteAllText(file, changed
            + "---\nkind: Volume\nname: vault-1-root\ndomain: vault\nsizeMiB: 64\nwipe: crypto-erase\n");
        return directory;
    }

    /// <summary>The image that states this content of the boot volume.</summary>
    internal static string Image(string content) =>
        "kind: Image\nname: measured\nkernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\n"
        + $"bootVolume: {{sha256: \"{content}\"}}\narguments: console=ttyS0 quiet panic=-1 no_timer_check\n";
}
