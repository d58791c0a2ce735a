namespace Bailiwick.Lab.Hosts;

/// <summary>One step of building or ending a lab, told as it is taken.</summary>
/// <param name="Place">The host, service or part it concerns.</param>
/// <param name="Sentence">What is being done.</param>
public sealed record LabStep(string Place, string Sentence);
