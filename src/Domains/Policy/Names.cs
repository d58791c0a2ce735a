using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>A trusted virtual domain, named by its tenant's self-certifying id and its own name.</summary>
public sealed record DomainRef(PartyId Tenant, StatementName Name)
{
    /// <summary>
    /// <c>&lt;tenant id&gt;/&lt;name&gt;</c>, the canonical text from which device names and numbers are derived.
    /// </summary>
    public override string ToString() => $"{Tenant.Digest.Hex}/{Name.Text}";

    /// <summary>Reads the text exactly as <see cref="ToString"/> writes it; null for any other.</summary>
    public static DomainRef? Read(string? text)
    {
        int slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        return text is not null && slash > 0 && PartyId.TryParse(text[..slash], out var tenant)
            && StatementName.TryParse(text[(slash + 1)..], out var name)
                ? new DomainRef(tenant, name)
                : null;
    }
}

/// <summary>A machine of one tenant.</summary>
public sealed record CompartmentRef(PartyId Tenant, StatementName Name)
{
    /// <summary><c>&lt;tenant id&gt;/&lt;name&gt;</c>.</summary>
    public override string ToString() => $"{Tenant.Digest.Hex}/{Name.Text}";
}

/// <summary>A virtual disk of one tenant.</summary>
public sealed record VolumeRef(PartyId Tenant, StatementName Name)
{
    /// <summary><c>&lt;tenant id&gt;/&lt;name&gt;</c>.</summary>
    public override string ToString() => $"{Tenant.Digest.Hex}/{Name.Text}";
}

/// <summary>Boot software one tenant approved.</summary>
public sealed record ImageRef(PartyId Tenant, StatementName Name)
{
    /// <summary><c>&lt;tenant id&gt;/&lt;name&gt;</c>.</summary>
    public override string ToString() => $"{Tenant.Digest.Hex}/{Name.Text}";
}

/// <summary>A physical machine of one operator.</summary>
public sealed record HostRef(PartyId Operator, StatementName Name)
{
    /// <summary><c>&lt;operator id&gt;/&lt;name&gt;</c>.</summary>
    public override string ToString() => $"{Operator.Digest.Hex}/{Name.Text}";
}

/// <summary>
/// Where a fact comes from: the statement (signed, or an authored document still unsigned) that every reason,
/// refusal and finding points back to.
/// </summary>
/// <param name="Kind">The kind of the statement.</param>
/// <param name="Owner">The party that owns it.</param>
/// <param name="OwnerName">The owner's display name; carries no authority.</param>
/// <param name="Name">The statement's name.</param>
/// <param name="Revision">The statement's revision; 0 while unsigned.</param>
/// <param name="Digest">SHA-256 of the signed payload, lower hex; empty while unsigned.</param>
/// <param name="File">The authored file, or null when read from a signed statement.</param>
/// <param name="Line">The line where the document starts, 1-based; 0 when read from a signed statement.</param>
public sealed record StatementOrigin(
    StatementKind Kind, PartyId Owner, string OwnerName, StatementName Name,
    long Revision, string Digest, string? File, int Line)
{
    /// <summary>For people: <c>Domain bank/web r3</c>.</summary>
    public override string ToString() =>
        $"{Kind.ToString()} {OwnerName}/{Name.Text}" + (Revision > 0 ? $" r{Revision}" : " (unsigned)");
}
