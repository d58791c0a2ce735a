namespace Bailiwick.HostTests.Whole;

/// <summary>One tenant, one domain, two hosts, and one machine that proves itself.</summary>
internal static class MeasuredPolicies
{
    internal const string Machine = "bank/vault-1";

    /// <summary>What the image says, without what refinement adds.</summary>
    internal const string Arguments = "console=ttyS0 quiet panic=-1 no_timer_check tpm=ttyS1";

    /// <summary>The machine's memory.</summary>
    internal const int MemoryMib = 256;

    internal static string ImageFile => Path.Combine("bank", "images.yaml");

    /// <summary>Writes them below a directory, one subdirectory for each party.</summary>
    internal static string Write(string directory)
    {
        Put("alpine/datacentre.yaml", "kind: Datacentre\nname: alpine\ntenants: [bank]\n");
        Put("alpine/hosts.yaml", SmallPolicies.Host(1) + "---\n" + SmallPolicies.Host(2)
            + "---\nkind: Link\nname: rack-a\nhosts: [host-1, host-2]\nmedium: trusted-segment\n");
        Put("bank/tenant.yaml", "kind: Tenant\nname: bank\nlegalName: The bank\n");
        Put("bank/images.yaml", Image(Arguments));
        Put("bank/vault.yaml",
            """
            kind: Domain
            name: vault
            legalOwner: {name: "The bank", jurisdiction: CH}
            expires: 2036-01-01T00:00:00Z
            hosts:
              operators: [alpine]
              assurance: [tpm]
              jurisdictions: [CH]
              vendors: {file: vendors.pem}
            machines: {images: [measured]}
            network: {subnets: [10.20.1.0/24], confidentiality: untrusted-links}
            storage: {confidentiality: required}
            quota: {machines: 4, cpus: 4, memoryMiB: 1024, storageMiB: 256}
            reservation: {cpus: 1, memoryMiB: 256}
            approvals: {takeover: 1}
            flows:
              grants: []
              accepts: []
            ---
            kind: Compartment
            name: vault-1
            cpus: 1
            memoryMiB: 256
            boot: {image: measured}
            firmware: ovmf
            tpm: required
            nics: [{domain: vault, ipv4: 10.20.1.11}]
            devices: [console, probe]

            """);
        return directory;

        void Put(string file, string text)
        {
            string path = Path.Combine(directory, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path) ?? directory);
            File.WriteAllText(path, text);
        }
    }

    /// <summary>The image with these arguments.</summary>
    internal static string Image(string arguments) =>
        "kind: Image\nname: measured\nkernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\nfirmware: {file: ovmf.fd}\n"
        + $"arguments: {arguments}\n";
}
