using System.Collections.Immutable;

namespace Bailiwick.Proxy.Reconciling;

/// <summary>How a unit of reconciling is doing.</summary>
public enum UnitHealth
{
    /// <summary>Not yet brought to its plan.</summary>
    Pending = 1,
    /// <summary>What was last observed is what the plan says.</summary>
    Converged,
    /// <summary>The last run failed; it is tried again.</summary>
    Failing,
    /// <summary>A bug stopped the unit; its ports are dead until the Proxy is started again.</summary>
    Stopped,
}

/// <summary>The last outcome of one step.</summary>
/// <param name="Name">The step.</param>
/// <param name="Ok">Whether it held.</param>
/// <param name="Sentence">The failure, or empty.</param>
/// <param name="At">When.</param>
public sealed record StepStatus(string Name, bool Ok, string Sentence, DateTimeOffset At);

/// <summary>
/// What a unit (one domain, one passage, or the host itself) last did, for <c>GET /v1/status</c>. Bounded; safe for
/// use from several threads.
/// </summary>
public sealed class UnitStatus(string unit, TimeProvider time)
{
    private const int MaxSteps = 64;
    private readonly Lock _lock = new();
    private readonly LinkedList<StepStatus> _steps = new();

    /// <summary>The unit's name: a domain's reference, a passage's name, or <c>host</c>.</summary>
    public string Unit { get; } = unit;

    /// <summary>How it is doing.</summary>
    public UnitHealth Health { get; private set; } = UnitHealth.Pending;

    /// <summary>Why it is not converged, or empty.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>The newest steps, newest first.</summary>
    public ImmutableArray<StepStatus> Steps
    {
        get
        {
            lock (_lock)
            {
                return [.. _steps];
            }
        }
    }

    /// <summary>Notes a step that held.</summary>
    public void Done(string step) => Note(step, true, "");

    /// <summary>Notes a step that failed.</summary>
    public void Failed(string step, string sentence) => Note(step, false, sentence);

    /// <summary>Notes how the unit is doing.</summary>
    public void Turn(UnitHealth health, string problem)
    {
        lock (_lock)
        {
            Health = health;
            Problem = problem;
        }
    }

    /// <summary>Notes that the unit is as planned, and forgets every step but those that made it so.</summary>
    public void Converge(IReadOnlySet<string> steps)
    {
        lock (_lock)
        {
            foreach (StepStatus gone in _steps.Where(step => !steps.Contains(step.Name)).ToArray())
            {
                _steps.Remove(gone);
            }

            (Health, Problem) = (UnitHealth.Converged, "");
        }
    }

    private void Note(string step, bool ok, string sentence)
    {
        lock (_lock)
        {
            // One line per step: the newest outcome replaces the one before.
            LinkedListNode<StepStatus>? node = _steps.First;
            while (node is not null && node.Value.Name != step)
            {
                node = node.Next;
            }

            if (node is not null)
            {
                _steps.Remove(node);
            }

            _steps.AddFirst(new StepStatus(step, ok, sentence, time.GetUtcNow()));
            if (_steps.Count > MaxSteps)
            {
                _steps.RemoveLast();
            }
        }
    }
}
