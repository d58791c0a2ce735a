using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Bundles;

/// <summary>What a reader makes of a bundle: <see cref="Accepted"/> or <see cref="Refused"/>.</summary>
public abstract class BundleVerdict
{
    private BundleVerdict(ImmutableArray<string> unverified) => Unverified = unverified;

    /// <summary>What could not be judged for want of a pin or of a connection, one sentence each.</summary>
    public ImmutableArray<string> Unverified { get; }

    /// <summary>Every check held.</summary>
    public sealed class Accepted : BundleVerdict
    {
        internal Accepted(
            VerifiedEvidence evidence, AssuranceLevel level, DomainModel domain, ImmutableArray<string> unverified)
            : base(unverified)
        {
            Evidence = evidence;
            Level = level;
            Domain = domain;
        }

        /// <summary>The proof.</summary>
        public VerifiedEvidence Evidence { get; }

        /// <summary>What it is worth to the domain.</summary>
        public AssuranceLevel Level { get; }

        /// <summary>The policy it was judged by.</summary>
        public DomainModel Domain { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : BundleVerdict
    {
        internal Refused(ImmutableArray<BundleReason> reasons, ImmutableArray<string> unverified)
            : base(unverified) => Reasons = reasons;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<BundleReason> Reasons { get; }
    }
}

/// <summary>One reason against a bundle.</summary>
/// <param name="Code">Its name, as a key service gives it where it has the same reason.</param>
/// <param name="Sentence">For people.</param>
public sealed record BundleReason(string Code, string Sentence)
{
    internal static BundleReason Of(BundleFault fault, string sentence) => new(Name(fault), sentence);

    internal static BundleReason Of(KeyRefusalCode code, string sentence) => new(Name(code), sentence);

    private static string Name<T>(T code)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(code.ToString());
}

/// <summary>What only an archive can have wrong. Closed.</summary>
public enum BundleFault
{
    /// <summary>It is no bundle in the strict form; nothing else could be judged.</summary>
    BundleMalformed = 1,

    /// <summary>A statement in it is refused.</summary>
    StatementRefused,

    /// <summary>The domain's policy in it is older than one that the reader knows.</summary>
    PolicyRolledBack,

    /// <summary>Neither a nonce nor a checkpoint is pinned: the evidence may be of any day.</summary>
    FreshnessNotPinned,

    /// <summary>The pinned checkpoint is not one of the datacentre's log.</summary>
    CheckpointRefused,

    /// <summary>An enrolment in it is not signed by the tenant's key service.</summary>
    EnrolmentRefused,
}
