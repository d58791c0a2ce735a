namespace Bailiwick.Benchmarks;

/// <summary>What was to be measured did not happen as it must, so there is no figure.</summary>
public sealed class BenchException(string message) : Exception(message)
{
    /// <summary>No figure of a verifier that refuses what is good.</summary>
    public static void Unless(bool isAccepted)
    {
        if (!isAccepted)
        {
            throw new BenchException("What is good is refused.");
        }
    }
}
