using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Json;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// Where in a tenant's hierarchy a wrapped key stands. All of it is authenticated with the key, so that bytes moved to
/// another name, domain, generation or tenant do not open.
/// </summary>
/// <param name="What">What the key is of: <c>domain</c> or <c>key</c>.</param>
/// <param name="Name">The domain, or what the key opens.</param>
/// <param name="Generation">Which key of that name.</param>
/// <param name="Parent">What it is wrapped under: <c>master</c>, or the domain.</param>
/// <param name="ParentGeneration">Which one of those.</param>
public sealed record WrapPlace(string What, string Name, long Generation, string Parent, long ParentGeneration)
{
    /// <summary>The place of a domain's key encryption key.</summary>
    public static WrapPlace OfDomain(string domain, long generation, long masterGeneration) =>
        new("domain", domain, generation, "master", masterGeneration);

    /// <summary>The place of the key of a volume or of a machine's TPM.</summary>
    public static WrapPlace OfKey(string key, long epoch, string domain, long domainGeneration) =>
        new("key", key, epoch, domain, domainGeneration);

    /// <summary>What is authenticated: canonical JSON of the tenant and the place.</summary>
    internal byte[] Bound(string tenant) => CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
    {
        ["tenant"] = tenant,
        ["what"] = What,
        ["name"] = Name,
        ["generation"] = Generation,
        ["parent"] = Parent,
        ["parentGeneration"] = ParentGeneration,
    }));
}
