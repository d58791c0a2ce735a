namespace Bailiwick.Domains.Policy.Reading;

/// <summary>The findings of one document, of one file: as many as there are, up to a limit.</summary>
internal sealed class DocumentFindings(string file)
{
    private readonly List<Finding> _findings = [];

    /// <summary>The file, or the statement's text form.</summary>
    public string File => file;

    /// <summary>The findings so far.</summary>
    public IReadOnlyList<Finding> All => _findings;

    /// <summary>True if there is any.</summary>
    public bool Any => _findings.Count > 0;

    /// <summary>Adds one.</summary>
    public void Add(FindingCode code, int line, string pointer, string sentence)
    {
        if (_findings.Count < PolicyLimits.FindingsInDocument)
        {
            _findings.Add(new Finding(code, file, line, pointer, sentence));
        }
        else if (_findings.Count == PolicyLimits.FindingsInDocument)
        {
            _findings.Add(new Finding(
                FindingCode.MoreFindings, file, line, pointer,
                $"There are more than {PolicyLimits.FindingsInDocument} findings; mend these first."));
        }
    }

    /// <summary>Adds those of a part.</summary>
    public void AddRange(DocumentFindings part)
    {
        foreach (var finding in part.All)
        {
            Add(finding.Code, finding.Line, finding.Pointer, finding.Sentence);
        }
    }
}
