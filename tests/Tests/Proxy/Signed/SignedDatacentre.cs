using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Proxy.Signed;

/// <summary>
/// A small datacentre whose statements are really signed: one operator, one host or more, and the tenants acme and
/// rival, each with a domain, an image, and machines with a plain volume.
/// </summary>
internal sealed class SignedDatacentre : IDisposable
{
    public const string ShortArguments = "console=ttyS0 quiet panic=-1 no_timer_check";
    private readonly List<ECDsa> _hostKeys = [];

    public SignedDatacentre(string kernel, string initrd, int hosts = 1)
    {
        Kernel = kernel;
        Initrd = initrd;
        LogKey = SignedParty.Key();
        Acme = new SignedParty(StatementKind.Tenant, "acme", 3, 2);
        Rival = new SignedParty(StatementKind.Tenant, "rival", 1, 1);
        Operator = new SignedParty(StatementKind.Datacentre, "alpine", 1, 1);
        foreach (SignedParty tenant in new[] { Acme, Rival })
        {
            Envelopes.Add(tenant.SignRoot(new JsonObject
            {
                ["legalName"] = "A tenant",
                ["keyService"] = new JsonObject
                {
                    ["key"] = SignedParty.Base64(KeyServiceKey), ["address"] = "10.99.0.3:7600",
                },
            }));
        }

        Envelopes.Add(Operator.SignRoot(new JsonObject
        {
            ["tenants"] = new JsonArray(Acme.Id.ToString(), Rival.Id.ToString()),
            ["log"] = new JsonObject { ["origin"] = Origin, ["key"] = SignedParty.Base64(LogKey) },
        }));
        for (int number = 1; number <= hosts; number++)
        {
            ECDsa key = SignedParty.Key();
            _hostKeys.Add(key);
            Envelopes.Add(Operator.Sign(StatementKind.Host, $"host-{number}", HostBody(key, 10 + number)));
        }
    }

    public const string Origin = "log.example/test";

    public string Kernel { get; }

    public string Initrd { get; }

    public ECDsa LogKey { get; }

    public ECDsa KeyServiceKey { get; } = SignedParty.Key();

    public SignedParty Acme { get; }

    public SignedParty Rival { get; }

    public SignedParty Operator { get; }

    /// <summary>All statements so far, in an order in which each is accepted.</summary>
    public List<byte[]> Envelopes { get; } = [];

    public ECDsa HostKey(int number) => _hostKeys[number - 1];

    public HostRef Host(int number) => new(Operator.Id, SignedParty.NameOf($"host-{number}"));

    public static CompartmentRef Machine(SignedParty tenant, string name) =>
        new(tenant.Id, SignedParty.NameOf(name));

    /// <summary>A tenant's image, domain, and machines numbered from 1 with a plain volume each.</summary>
    public SignedDatacentre With(
        SignedParty tenant, string domain, string subnet, int machines, string lost = "stop",
        string storage = "none")
    {
        Envelopes.Add(tenant.Sign(StatementKind.Image, "guest", new JsonObject
        {
            ["kernel"] = new JsonObject { ["sha256"] = Kernel },
            ["initrd"] = new JsonObject { ["sha256"] = Initrd },
            ["arguments"] = ShortArguments,
        }));
        Envelopes.Add(tenant.Sign(StatementKind.Domain, domain, DomainBody(subnet, storage, lost: lost)));
        for (int number = 1; number <= machines; number++)
        {
            Envelopes.Add(tenant.Sign(StatementKind.Volume, $"{domain}-{number}-data", new JsonObject
            {
                ["domain"] = domain, ["sizeMiB"] = 16, ["wipe"] = "crypto-erase",
            }));
            Envelopes.Add(tenant.Sign(
                StatementKind.Compartment, $"{domain}-{number}", MachineBody(domain, subnet, number, "write")));
        }

        return this;
    }

    /// <summary>A machine's statement anew, bound to another host than the first.</summary>
    public static byte[] Bound(SignedParty tenant, string domain, string subnet, int number, string host)
    {
        JsonObject body = MachineBody(domain, subnet, number, "write");
        body["placement"] = new JsonObject { ["hosts"] = new JsonArray(host) };
        return tenant.Sign(StatementKind.Compartment, $"{domain}-{number}", body);
    }

    /// <summary>The first machine's statement anew; with a time within which it may be restarted, or without.</summary>
    public byte[] Restart(SignedParty tenant, string domain, string subnet, string? within)
    {
        JsonObject body = MachineBody(domain, subnet, 1, "write");
        if (within is not null)
        {
            body["restart"] = new JsonObject { ["within"] = within };
        }

        Envelopes.Add(tenant.Sign(StatementKind.Compartment, $"{domain}-1", body));
        return Envelopes[^1];
    }

    /// <summary>The first machine's image states its boot volume's content; the machine only reads it.</summary>
    public SignedDatacentre Seal(SignedParty tenant, string domain, string subnet, string content, string access)
    {
        Envelopes.Add(tenant.Sign(StatementKind.Image, "guest", new JsonObject
        {
            ["kernel"] = new JsonObject { ["sha256"] = Kernel },
            ["initrd"] = new JsonObject { ["sha256"] = Initrd },
            ["bootVolume"] = new JsonObject { ["sha256"] = content },
            ["arguments"] = ShortArguments,
        }));
        Envelopes.Add(tenant.Sign(StatementKind.Compartment, $"{domain}-1", MachineBody(domain, subnet, 1, access)));
        return this;
    }

    /// <summary>The first machine's volume begins with the disk of the image.</summary>
    public SignedDatacentre Fill(SignedParty tenant, string domain, string content, int sizeMib)
    {
        Envelopes.Add(tenant.Sign(StatementKind.Image, "guest", new JsonObject
        {
            ["kernel"] = new JsonObject { ["sha256"] = Kernel },
            ["initrd"] = new JsonObject { ["sha256"] = Initrd },
            ["disk"] = new JsonObject { ["sha256"] = content, ["sizeMiB"] = sizeMib },
            ["arguments"] = ShortArguments,
        }));
        Envelopes.Add(tenant.Sign(StatementKind.Volume, $"{domain}-1-data", new JsonObject
        {
            ["domain"] = domain, ["sizeMiB"] = 16, ["wipe"] = "crypto-erase",
            ["from"] = new JsonObject { ["image"] = "guest" },
        }));
        return this;
    }

    /// <summary>The first machine's volume is stated anew, with another size.</summary>
    public SignedDatacentre Resize(SignedParty tenant, string domain, int sizeMib)
    {
        Envelopes.Add(tenant.Sign(StatementKind.Volume, $"{domain}-1-data", new JsonObject
        {
            ["domain"] = domain, ["sizeMiB"] = sizeMib, ["wipe"] = "crypto-erase",
        }));
        return this;
    }

    /// <summary>The first machine's statement anew: what it does with its volume.</summary>
    public SignedDatacentre Use(SignedParty tenant, string domain, string subnet, string access)
    {
        Envelopes.Add(tenant.Sign(StatementKind.Compartment, $"{domain}-1", MachineBody(domain, subnet, 1, access)));
        return this;
    }

    /// <summary>The first machine's volume is a copy of another, which no machine has.</summary>
    public SignedDatacentre Copy(SignedParty tenant, string domain, int sizeMib)
    {
        Envelopes.Add(tenant.Sign(StatementKind.Volume, $"{domain}-base", new JsonObject
        {
            ["domain"] = domain, ["sizeMiB"] = sizeMib, ["wipe"] = "crypto-erase",
        }));
        Envelopes.Add(tenant.Sign(StatementKind.Volume, $"{domain}-1-data", new JsonObject
        {
            ["domain"] = domain, ["sizeMiB"] = 16, ["wipe"] = "crypto-erase",
            ["from"] = new JsonObject { ["volume"] = $"{domain}-base" },
        }));
        return this;
    }

    public JsonObject DomainBody(
        string subnet, string storage = "none", string expires = "2036-01-01T00:00:00Z", string lost = "stop") => new()
    {
        ["legalOwner"] = new JsonObject { ["name"] = "A tenant", ["jurisdiction"] = "CH" },
        ["expires"] = expires,
        ["hosts"] = new JsonObject
        {
            ["operators"] = new JsonArray(Operator.Id.ToString()),
            ["assurance"] = new JsonArray("software"),
            ["jurisdictions"] = new JsonArray("CH"),
            ["onLostTrust"] = lost,
        },
        ["machines"] = new JsonObject { ["images"] = new JsonArray("guest") },
        ["network"] = new JsonObject { ["subnets"] = new JsonArray(subnet), ["confidentiality"] = "none" },
        ["storage"] = new JsonObject { ["confidentiality"] = storage },
        ["quota"] = new JsonObject
        {
            ["machines"] = 8, ["cpus"] = 8, ["memoryMiB"] = 2048, ["storageMiB"] = 1024,
        },
    };

    public void Dispose()
    {
        LogKey.Dispose();
        KeyServiceKey.Dispose();
        _hostKeys.ForEach(k => k.Dispose());
        Acme.Dispose();
        Rival.Dispose();
        Operator.Dispose();
    }

    private static JsonObject MachineBody(string domain, string subnet, int number, string access) => new()
    {
        ["cpus"] = 1,
        ["memoryMiB"] = 112,
        ["boot"] = new JsonObject { ["image"] = "guest" },
        ["disks"] = new JsonArray(
            new JsonObject { ["volume"] = $"{domain}-{number}-data", ["access"] = access }),
        ["nics"] = new JsonArray(
            new JsonObject { ["domain"] = domain, ["ipv4"] = subnet.Replace("0/24", $"{10 + number}") }),
        ["devices"] = new JsonArray("console", "probe"),
        ["placement"] = new JsonObject { ["hosts"] = new JsonArray("host-1") },
    };

    private static JsonObject HostBody(ECDsa key, int address) => new()
    {
        ["identityKey"] = SignedParty.Base64(key),
        ["jurisdiction"] = "CH",
        ["assurance"] = "software",
        ["underlay"] = new JsonObject { ["ipv4"] = $"10.99.0.{address}" },
        ["capacity"] = new JsonObject { ["cpus"] = 8, ["memoryMiB"] = 2048 },
    };
}
