namespace Bailiwick.Domains.Policy.Editing;

/// <summary>How an edit of a file ended. A closed set.</summary>
public abstract record EditedText
{
    private EditedText()
    {
    }

    /// <summary>The file's new text. Read anew it is exactly the old one with the change.</summary>
    /// <param name="Text">All of it.</param>
    public sealed record Done(string Text) : EditedText;

    /// <summary>The file is written in a form in which the change cannot be made without touching more.</summary>
    /// <param name="Sentence">Why, and what to do.</param>
    public sealed record Refused(string Sentence) : EditedText;
}
