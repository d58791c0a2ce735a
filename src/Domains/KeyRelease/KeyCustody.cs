using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>What a key service knows by itself of a key, whoever asks for it.</summary>
/// <param name="Tenant">The tenant it serves.</param>
/// <param name="Holders">Who holds the key.</param>
/// <param name="Doubt">Why it has lent a host no trust for a domain; null while it has.</param>
public record KeyFacts(PartyId Tenant, KeyHolders Holders, HostDoubt Doubt)
{
    /// <summary>What it knows of a machine's TPM state; plays no part for a volume.</summary>
    public TpmStateMark Mark { get; init; } = new TpmStateMark.New();

    /// <summary>What it knows of a volume's header; plays no part for a machine's TPM.</summary>
    public VolumeHeaderMark Header
    {
        get => Kept.Header;
        init => Kept = Kept with { Header = value };
    }

    /// <summary>Everything it remembers of a volume; plays no part for a machine's TPM.</summary>
    public VolumeMark Kept { get; init; } = VolumeMark.New;

    /// <summary>Of a request for a key to copy a volume: who holds the key of the copy.</summary>
    public KeyHolders CopyHolders { get; init; } = KeyHolders.Nobody;

    /// <summary>Of a request for a key to copy a volume: what it knows of the copy's header.</summary>
    public VolumeHeaderMark CopyHeader { get; init; } = new VolumeHeaderMark.New();

    /// <summary>The domain that the key is of since its first release; null when there was none yet.</summary>
    public DomainRef? Colour { get; init; }

    /// <summary>The revision of the statement at which the key was destroyed; null when none was.</summary>
    public long? Destroyed { get; init; }

    /// <summary>When the tenant withdrew the key; null when it did not.</summary>
    public DateTimeOffset? Withdrawn { get; init; }

    /// <summary>
    /// Until when the holder may open the key again without asking; null when it may not, or no longer.
    /// </summary>
    public DateTimeOffset? RestartUntil { get; init; }

    /// <summary>The revision at which a domain's keys were destroyed; null when they were not.</summary>
    public Func<DomainRef, long?> DomainDestroyed { get; init; } = _ => null;
}

/// <summary>What a key service knows by itself when a request arrives: of the key, and of who asks.</summary>
public sealed record KeyCustody : KeyFacts
{
    /// <summary>Of a key and of who asks.</summary>
    /// <param name="facts">What it knows of the key.</param>
    /// <param name="caller">The id of the key at the other end of the channel.</param>
    /// <param name="nonce">What the request's nonce is worth.</param>
    public KeyCustody(KeyFacts facts, KeyId caller, NonceStanding nonce)
        : base(facts) => (Caller, Nonce) = (caller, nonce);

    /// <summary>Of a key of which no more is known than who holds it.</summary>
    /// <param name="tenant">The tenant it serves.</param>
    /// <param name="caller">The id of the key at the other end of the channel.</param>
    /// <param name="nonce">What the request's nonce is worth.</param>
    /// <param name="holders">Who holds the key.</param>
    /// <param name="doubt">Why it has lent a host no trust for a domain; null while it has.</param>
    public KeyCustody(PartyId tenant, KeyId caller, NonceStanding nonce, KeyHolders holders, HostDoubt doubt)
        : this(new KeyFacts(tenant, holders, doubt), caller, nonce)
    {
    }

    /// <summary>The id of the key at the other end of the channel.</summary>
    public KeyId Caller { get; init; }

    /// <summary>What the request's nonce is worth.</summary>
    public NonceStanding Nonce { get; init; }
}

/// <summary>What a nonce is worth. Closed.</summary>
public enum NonceStanding
{
    /// <summary>Given to this caller, not used, not expired: it is used up now.</summary>
    Good = 1,

    /// <summary>Never given, or so long ago that it is forgotten.</summary>
    Unknown,

    /// <summary>Used before.</summary>
    Used,

    /// <summary>Too old.</summary>
    Expired,

    /// <summary>Given to another caller.</summary>
    OfAnotherCaller,
}
