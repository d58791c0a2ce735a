namespace Bailiwick.Proxy.Host;

/// <summary>The seam at which programs are started. Nothing outside this folder starts one.</summary>
public interface IHost
{
    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="WorldException">
    /// It could not be started, ran out of time, wrote too much, or its exit code is not one of the call's answers.
    /// </exception>
    ProgramResult Run(ProgramCall call);
}
