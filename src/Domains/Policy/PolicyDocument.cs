using System.Collections.Immutable;
using Bailiwick.Domains.Policy.Reading;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// One statement as a tree, authored or signed, before anything is known about its members. Both forms have the same
/// members; an authored one names parties and files, a signed one carries their ids and digests.
/// </summary>
public sealed class PolicyDocument
{
    private BodyReading? _reading;

    internal PolicyDocument(
        StatementOrigin origin, PolicyNode body, PartyNames? names, ImmutableArray<Finding> findings)
    {
        Origin = origin;
        Body = body;
        Names = names;
        Findings = findings;
    }

    /// <summary>What it is, whose, and where it was read.</summary>
    public StatementOrigin Origin { get; }

    /// <summary>The body, without the kind and the name.</summary>
    public PolicyNode Body { get; }

    /// <summary>What was found wrong before its members were read; with any of them the document is left out.</summary>
    public ImmutableArray<Finding> Findings { get; }

    /// <summary>
    /// The model of its kind and what is wrong with its members: read once, since a document never changes, so that a
    /// check of many documents of which one is another reads one.
    /// </summary>
    internal BodyReading Reading
    {
        get
        {
            return _reading ?? Interlocked.CompareExchange(ref _reading, BodyReader.Read(this), null) ?? _reading;
        }
    }

    /// <summary>Resolves the names in it; null when it is signed and has ids.</summary>
    internal PartyNames? Names { get; }

    /// <summary>True when it was read from a verified statement.</summary>
    public bool IsSigned => Names is null;

    /// <summary>The file, or the statement's text form when it was signed.</summary>
    public string File => Origin.File ?? Origin.ToString();

    /// <summary>
    /// The line of the value that a JSON pointer names, or of the nearest that there is; 0 when signed.
    /// </summary>
    public int LineAt(string pointer)
    {
        ArgumentNullException.ThrowIfNull(pointer);
        var (node, line) = (Body, Origin.Line);
        foreach (var token in pointer.Split('/').Skip(1))
        {
            var member = (node as PolicyNode.Members)?.Entries.FirstOrDefault(one => Quoted.Token(one.Name) == token);
            var item = node is PolicyNode.Items items && int.TryParse(token, out var at) && at >= 0
                && at < items.Entries.Length ? items.Entries[at] : null;
            var next = member?.Value ?? item;
            if (next is null)
            {
                break;
            }

            (node, line) = (next, member?.Line ?? next.Line);
        }

        return line;
    }

    /// <summary>The canonical body to sign; everything that cannot be resolved is a finding.</summary>
    /// <param name="material">Ids, digests and keys.</param>
    /// <exception cref="InvalidOperationException">The document is signed already.</exception>
    public SignedBody ToSignedBody(SigningMaterial material)
    {
        ArgumentNullException.ThrowIfNull(material);
        return IsSigned
            ? throw new InvalidOperationException($"{Origin} is signed already.")
            : BodySigner.Sign(this, material);
    }

    /// <summary>A finding at a place in this document.</summary>
    internal Finding Fault(FindingCode code, string pointer, string sentence) =>
        new(code, File, LineAt(pointer), pointer, sentence);
}
