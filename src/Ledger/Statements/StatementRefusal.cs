namespace Bailiwick.Ledger.Statements;

/// <summary>
/// Why a statement was not accepted. Closed, one reason for each cause, in the order in which they are looked for; the
/// first that applies is given, because the later ones could not be judged.
/// </summary>
public enum StatementRefusal
{
    /// <summary>The envelope, its payload or its list of signatures is larger than its limit.</summary>
    TooLarge = 1,

    /// <summary>The bytes are not a DSSE envelope of the strict form.</summary>
    MalformedEnvelope,

    /// <summary>The envelope is JSON but not canonical.</summary>
    EnvelopeNotCanonical,

    /// <summary>The envelope holds something other than a statement.</summary>
    WrongPayloadType,

    /// <summary>
    /// The payload is not JSON, or has not exactly the members of a statement, or has one of a wrong type.
    /// </summary>
    MalformedPayload,

    /// <summary>The payload is JSON but not canonical: another signature would hold over another form.</summary>
    PayloadNotCanonical,

    /// <summary>The payload is of another version than `statement/v1`.</summary>
    UnknownVersion,

    /// <summary>The kind is none of <see cref="StatementKind"/>.</summary>
    UnknownKind,

    /// <summary>The name is not a <see cref="StatementName"/>.</summary>
    InvalidName,

    /// <summary>The owner is neither `self` nor a party id.</summary>
    InvalidOwner,

    /// <summary>`self` outside the first revision of a root, or the first revision of a root without it.</summary>
    SelfOwnerMisused,

    /// <summary>A root's body has no list `roots` of `{"key":...}` or no integer `threshold`.</summary>
    MalformedRoot,

    /// <summary>A root has no keys, or more than <see cref="LedgerLimits.RootKeys"/>.</summary>
    WrongNumberOfRootKeys,

    /// <summary>A root's key is not the one accepted encoding of a P-256 key.</summary>
    InvalidRootKey,

    /// <summary>A root lists one key twice.</summary>
    DuplicateRootKey,

    /// <summary>A root's threshold is less than one or more than its keys.</summary>
    InvalidThreshold,

    /// <summary>No root of the owner is known.</summary>
    UnknownOwner,

    /// <summary>The owner is a party that may not own statements of this kind.</summary>
    WrongOwnerForKind,

    /// <summary>A later root has another name than the party's first root.</summary>
    RootRenamed,

    /// <summary>A newer revision of the subject is held.</summary>
    Rollback,

    /// <summary>Revisions between the one held, if any, and this one are missing: fetch those first.</summary>
    Gap,

    /// <summary>One key signed twice; it counts once, and an envelope that pretends otherwise is refused.</summary>
    DuplicateSignature,

    /// <summary>A signature names a key that is not in the owner's root in force.</summary>
    UnknownKey,

    /// <summary>A signature does not verify.</summary>
    InvalidSignature,

    /// <summary>Fewer keys of the owner's root in force signed than its threshold asks.</summary>
    BelowThreshold,

    /// <summary>Fewer keys of a new root signed it than its own threshold asks.</summary>
    BelowNewThreshold,

    /// <summary>Another statement of the same revision is held: the owner signed two, which it must never do.</summary>
    Fork,

    /// <summary>`previous` is not the digest of the revision before.</summary>
    WrongPredecessor,
}
