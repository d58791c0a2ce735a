namespace Bailiwick.Lab.Demonstration;

/// <summary>Whoever watches: a person at a terminal, or a test.</summary>
public interface IDemoAudience
{
    /// <summary>A new act begins.</summary>
    void Act(string title);

    /// <summary>What is happening in the act, and how much of it is done, 0 to 1.</summary>
    void Progress(string sentence, double done);

    /// <summary>A sentence to keep.</summary>
    void Tell(string sentence);

    /// <summary>The promised matrix beside the measured one.</summary>
    void Matrix(IReadOnlyList<string> machines, IReadOnlyList<Cell> cells);

    /// <summary>The result of one thing shown.</summary>
    void Check(DemoCheck check);
}
