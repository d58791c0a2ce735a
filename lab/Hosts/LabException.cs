namespace Bailiwick.Lab.Hosts;

/// <summary>
/// The machine under the lab did not do what the lab needs: what happened, where, and what a person can do next.
/// </summary>
public sealed class LabException : Exception
{
    public LabException(string cause, string place, string nextStep, Exception? inner = null)
        : base($"{cause}\n  where: {place}\n  next:  {nextStep}", inner)
    {
        Cause = cause;
        Place = place;
        NextStep = nextStep;
    }

    public string Cause { get; }

    public string Place { get; }

    public string NextStep { get; }
}
