namespace Bailiwick.Benchmarks;

/// <summary>What was to be measured did not happen as it must, so there is no figure.</summary>
public sealed class BenchException(string message) : Exception(message);
