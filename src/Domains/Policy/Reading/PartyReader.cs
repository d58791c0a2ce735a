using System.Net.Sockets;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>A tenant's root with what only the check needs.</summary>
/// <param name="Model">The tenant.</param>
/// <param name="RootKeys">How many root keys it has; null while unsigned.</param>
internal sealed record TenantBody(TenantModel Model, int? RootKeys);

/// <summary>Reads roots, hosts and links.</summary>
internal static class PartyReader
{
    /// <summary>Reads a tenant.</summary>
    public static TenantBody Tenant(PolicyDocument document, Value body)
    {
        int? keys = null;
        if (document.IsSigned)
        {
            body.Only("legalName", "roots", "threshold", "admins", "auditors", "keyService");
            keys = Roots(body);
            People(body);
            var service = body.May("keyService");
            if (service.IsPresent)
            {
                service.Only("key", "address");
                service.Need("key").Key();
                service.Need("address").Endpoint();
            }
        }
        else
        {
            body.Only("legalName");
        }

        var legalName = body.Need("legalName").LegalName();
        return new TenantBody(
            new TenantModel(document.Origin.Owner, document.Origin.Name, legalName, document.Origin), keys);
    }

    /// <summary>Reads a datacentre.</summary>
    public static DatacentreModel Datacentre(PolicyDocument document, Value body)
    {
        if (document.IsSigned)
        {
            body.Only("tenants", "roots", "threshold", "admins", "auditors", "log");
            Roots(body);
            People(body);
            var log = body.May("log");
            if (log.IsPresent)
            {
                log.Only("origin", "key");
                log.Need("origin").LogOrigin();
                log.Need("key").Key();
            }
        }
        else
        {
            body.Only("tenants");
        }

        var tenants = body.Need("tenants").Distinct(0, PolicyLimits.Names, item => item.Party(document.Names));
        return new DatacentreModel(document.Origin.Owner, document.Origin.Name, tenants, document.Origin);
    }

    /// <summary>Reads a host.</summary>
    public static HostModel Host(PolicyDocument document, Value body)
    {
        body.Only("identityKey", "jurisdiction", "assurance", "underlay", "capacity", "tpm", "pool");
        var key = document.IsSigned ? body.Need("identityKey") : body.May("identityKey");
        var underlay = body.Need("underlay").Only("ipv4", "vlans");
        var vlans = underlay.May("vlans");
        var capacity = body.Need("capacity").Only("cpus", "memoryMiB", "uplinkMbit");
        var (tpm, pool, uplink) = (body.May("tpm"), body.May("pool"), capacity.May("uplinkMbit"));
        var assurance = body.Need("assurance").Word<AssuranceLevel>();
        if (document.IsSigned && !tpm.IsPresent
            && assurance is AssuranceLevel.SoftwareTpm or AssuranceLevel.Tpm)
        {
            body.Fault(
                FindingCode.MissingEndorsementKey,
                $"The host gives {WireText.Of(assurance)}, but the endorsement key of its TPM is not stated.");
        }

        return new HostModel
        {
            Ref = new HostRef(document.Origin.Owner, document.Origin.Name),
            EndorsementKey = tpm.IsPresent ? tpm.Only("ek").Need("ek").Sha256() : null,
            IdentityKey = key.IsPresent ? key.Key() : [],
            Assurance = assurance,
            Jurisdiction = body.Need("jurisdiction").Country(),
            UnderlayIpv4 = underlay.Need("ipv4").Address(AddressFamily.InterNetwork)?.ToString() ?? "",
            Vlans = vlans.IsPresent ? vlans.Name() : null,
            CapacityCpus = capacity.Need("cpus").Integer(1, 4_096),
            CapacityMemoryMib = capacity.Need("memoryMiB").Integer(64, 67_108_864),
            UplinkMbit = uplink.IsPresent ? uplink.Integer(1, PortLimit.Most) : null,
            Medium = pool.IsPresent ? pool.Only("medium").Need("medium").Name() : null,
            Origin = document.Origin,
        };
    }

    /// <summary>Reads a link.</summary>
    public static LinkModel Link(PolicyDocument document, Value body)
    {
        body.Only("hosts", "medium", "vlans");
        var list = body.Need("hosts");
        var hosts = list.Distinct(
            1, PolicyLimits.LinkHosts, item => new HostRef(document.Origin.Owner, item.Name()));
        if (hosts.Length == 1)
        {
            list.Fault(FindingCode.EmptyList, "A link joins at least two hosts.");
        }

        var vlans = body.May("vlans");
        return new LinkModel(
            document.Origin.Owner, document.Origin.Name, hosts, body.Need("medium").Word<LinkMedium>(),
                document.Origin)
        {
            Vlans = vlans.IsPresent ? Vlans(vlans.Only("first", "last")) : null,
        };
    }

    private static VlanRange Vlans(Value range)
    {
        var last = range.Need("last");
        VlanRange read = new(
            range.Need("first").Integer(VlanRange.Least, VlanRange.Most),
            last.Integer(VlanRange.Least, VlanRange.Most));
        if (last.IsPresent && read.Last < read.First)
        {
            last.Fault(FindingCode.OutOfRange, $"The last VLAN is {read.Last}, before the first, {read.First}.");
        }

        return read;
    }

    // The ledger has checked the keys that verify; here they are counted, and their form is not left to others.
    private static int Roots(Value body)
    {
        var keys = body.Need("roots").Distinct(
            1, PolicyLimits.Keys, item => Convert.ToBase64String(item.Only("key").Need("key").Key().AsSpan()));
        var threshold = body.Need("threshold");
        var demanded = threshold.Integer(1, PolicyLimits.Keys);
        if (threshold.IsPresent && demanded > keys.Length)
        {
            threshold.Fault(FindingCode.BadThreshold, $"{demanded} signatures are demanded of {keys.Length} keys.");
        }

        return keys.Length;
    }

    private static void People(Value body)
    {
        foreach (var list in new[] { body.Need("admins"), body.Need("auditors") })
        {
            list.Distinct(0, PolicyLimits.Keys, item => Convert.ToBase64String(item.Key().AsSpan()));
        }
    }
}
