using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>What came of one place's proof: a switch's, a gateway's or the underlay's.</summary>
/// <param name="Examples">Packets for which tables and policies differ.</param>
/// <param name="Unknown">What is not known, for people.</param>
/// <param name="Nodes">How many different nodes the sets of packets had.</param>
internal sealed record PlaceProof(ImmutableArray<Counterexample> Examples, ImmutableArray<string> Unknown, int Nodes)
{
    /// <summary>Nothing can be said of the place.</summary>
    public static PlaceProof NotKnown(string sentence) => new([], [sentence], 0);
}
