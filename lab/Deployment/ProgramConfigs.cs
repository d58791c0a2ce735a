using System.Text.Json.Nodes;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Lab.Deployment;

/// <summary>The configuration files of the programs, as their operators would write them.</summary>
internal sealed class ProgramConfigs(LabPaths paths, PartyId datacentre, PublicKey masterKey, PublicKey logKey)
{
    /// <summary>The Master's.</summary>
    internal JsonObject Master() => new()
    {
        ["directory"] = Path.Combine(paths.Master, "store"),
        ["listen"] = new JsonArray(LabPaths.MasterAddress, "unix:" + paths.MasterSocket),
        ["tlsKey"] = Path.Combine(paths.Master, "tls.pem"),
        ["logKey"] = Path.Combine(paths.Master, "log.pem"),
        ["origin"] = LabDesks.Origin,
        ["datacentre"] = datacentre.ToString(),
    };

    /// <summary>A tenant's key service's.</summary>
    internal JsonObject KeyService(string tenant, PartyId id, string address, string firstRoot) => new()
    {
        ["directory"] = Path.Combine(paths.KeyService(tenant), "store"),
        ["listen"] = new JsonArray(address, "unix:" + paths.KeyServiceSocket(tenant)),
        ["tlsKey"] = Path.Combine(paths.Keys, tenant, "keyservice.pem"),
        ["tenant"] = id.ToString(),
        ["datacentre"] = datacentre.ToString(),
        ["tenantRoot"] = firstRoot,
        ["master"] = MasterPeer(LabPaths.MasterAddress),
        ["log"] = Log(),
        ["vendors"] = Path.Combine(paths.KeyService(tenant), "vendors.pem"),
        ["vendorIntermediates"] = Path.Combine(paths.KeyService(tenant), "intermediates.pem"),
        ["masterKey"] = new JsonObject
        {
            ["file"] = paths.MasterKey(tenant),
            ["passphraseFile"] = paths.MasterPassphrase(tenant),
        },
    };

    /// <summary>A host's Proxy's.</summary>
    internal JsonObject Proxy(string host, string address, GuestAcceleration acceleration) => new()
    {
        ["directory"] = Path.Combine(paths.Proxy(host), "state"),
        ["host"] = $"{datacentre}/{host}",
        ["identityKey"] = Path.Combine(paths.Proxy(host), "identity.pem"),
        ["listen"] = new JsonArray(address + ":7500", "unix:" + paths.ProxySocket(host)),
        ["hookSocket"] = paths.HookSocket(host),
        ["master"] = MasterPeer(LabPaths.MasterAddress),
        ["log"] = Log(),
        ["libvirt"] = "",
        ["tpm"] = LabTpm.AddressInside.ToString(),
        ["measurements"] = new JsonObject
        {
            ["boot"] = paths.BootLog(host),
            ["runtime"] = paths.RuntimeLog(host),
        },
        ["pool"] = paths.Pool,
        ["images"] = paths.Images,
        ["hypervisor"] = acceleration switch
        {
            GuestAcceleration.Kvm => "kvm",
            GuestAcceleration.Translator => "emulated",
            _ => throw new System.Diagnostics.UnreachableException(),
        },
    };

    /// <summary>What a person at a party's desk needs to reach the board and the hosts.</summary>
    internal JsonObject Context(string party, IReadOnlyDictionary<string, PublicKey> hosts) => new()
    {
        ["master"] = MasterPeer("unix:" + paths.MasterSocket),
        ["log"] = Log(),
        ["datacentre"] = datacentre.ToString(),
        ["identity"] = Path.Combine(paths.Keys, party, "admin.pem"),
        ["hosts"] = new JsonObject(hosts.Select(h => KeyValuePair.Create($"{datacentre}/{h.Key}", (JsonNode?)
            new JsonObject { ["address"] = "unix:" + paths.ProxySocket(h.Key), ["key"] = h.Value.Id.ToString() }))),
        ["keyService"] = "unix:" + paths.KeyServiceSocket(party),
    };

    private JsonObject MasterPeer(string address) =>
        new() { ["address"] = address, ["key"] = masterKey.Id.ToString() };

    private JsonObject Log() => new() { ["origin"] = LabDesks.Origin, ["key"] = logKey.Base64 };
}
