using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Reconciling;

/// <summary>
/// One run of steps towards a plan. Each step that changes the world may push its undoing; when a later step fails
/// the undoings run in reverse order, so that what is left is never more open than before the run. Every step is
/// idempotent, so a run that was killed is simply run again.
/// </summary>
/// <param name="status">Where each step's outcome is kept.</param>
public sealed class Apply(UnitStatus status)
{
    private readonly Stack<(string Name, Action Act)> _undo = new();
    private readonly HashSet<string> _steps = new(StringComparer.Ordinal);
    private WorldException? _first;

    /// <summary>
    /// Remembers how to undo what is about to be done; called first, as a step that failed half-way counts.
    /// </summary>
    public void OnUndo(string name, Action act) => _undo.Push((name, act));

    /// <summary>Runs one step; false when the world refused, which is noted and remembered.</summary>
    public bool Try(string name, Action act)
    {
        _steps.Add(name);
        try
        {
            act();
            status.Done(name);
            return true;
        }
        catch (WorldException error)
        {
            status.Failed(name, error.Message);
            _first ??= error;
            return false;
        }
    }

    /// <summary>Runs one step; false when the world refused, which is noted and remembered.</summary>
    /// <param name="name">What it does, in the words of a plan.</param>
    /// <param name="act">The step.</param>
    public async Task<bool> TryAsync(string name, Func<Task> act)
    {
        _steps.Add(name);
        try
        {
            await act().ConfigureAwait(false);
            status.Done(name);
            return true;
        }
        catch (WorldException error)
        {
            status.Failed(name, error.Message);
            _first ??= error;
            return false;
        }
    }

    /// <summary>
    /// Ends the run: the unit is as planned, and what is told of it are the steps of this run. One of a machine that
    /// has left is nobody's any more, above all where it failed.
    /// </summary>
    /// <exception cref="WorldException">The first failure, after every other step had its turn.</exception>
    public void End()
    {
        ThrowFirst();
        status.Converge(_steps);
    }

    /// <summary>Ends the run with its first failure, if there was one, after every other step had its turn.</summary>
    /// <exception cref="WorldException">The first failure.</exception>
    public void ThrowFirst()
    {
        if (_first is not null)
        {
            throw _first;
        }
    }

    /// <summary>Undoes what was done, last first. What cannot be undone is noted; the rest is still undone.</summary>
    public void Undo()
    {
        while (_undo.TryPop(out var step))
        {
            try
            {
                step.Act();
                status.Done($"undo: {step.Name}");
            }
            catch (WorldException error)
            {
                status.Failed($"undo: {step.Name}", error.Message);
            }
        }
    }
}
