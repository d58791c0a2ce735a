using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>One document of a file.</summary>
/// <param name="Root">Its value.</param>
/// <param name="Line">Where it starts.</param>
/// <param name="Findings">What is wrong with its YAML.</param>
internal sealed record YamlDocument(PolicyNode Root, int Line, DocumentFindings Findings);

/// <summary>
/// Reads YAML as events only: no object is ever made of a type that the text names, aliases are never followed, and
/// reading stops at the first limit, so a hostile file costs its reader at most a file's size.
/// </summary>
internal sealed class YamlReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly DocumentFindings _file;
    private readonly Parser _parser;
    private DocumentFindings _document;
    private int _nodes;

    private YamlReader(string text, DocumentFindings file)
    {
        _file = file;
        _document = file;
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>Reads every document of a file up to the first that cannot be read.</summary>
    /// <param name="utf8">The file.</param>
    /// <param name="file">Takes the findings that belong to no document.</param>
    public static ImmutableArray<YamlDocument> Read(ReadOnlySpan<byte> utf8, DocumentFindings file)
    {
        if (utf8.Length > PolicyLimits.FileBytes)
        {
            file.Add(
                FindingCode.FileTooLarge, 0, "",
                $"The file has {utf8.Length} bytes; at most {PolicyLimits.FileBytes} are read. Split it.");
            return [];
        }

        return Decode(utf8, file) is { } text ? new YamlReader(text, file).Documents() : [];
    }

    private static string? Decode(ReadOnlySpan<byte> utf8, DocumentFindings file)
    {
        string text;
        try
        {
            text = StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            file.Add(FindingCode.NotUtf8, 0, "", "The file is not UTF-8. Save it as UTF-8.");
            return null;
        }

        if (text.StartsWith('\uFEFF'))
        {
            file.Add(FindingCode.NotUtf8, 1, "", "The file starts with a byte order mark. Save it without.");
            return null;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]) && text[i] is not ('\n' or '\r' or '\t') || text[i] is '\u2028' or '\u2029')
            {
                file.Add(
                    FindingCode.ControlCharacter, 1 + text.AsSpan(0, i).Count('\n'), "",
                    $"The file has the control character U+{(int)text[i]:X4}. Remove it.");
                return null;
            }
        }

        return text;
    }

    private ImmutableArray<YamlDocument> Documents()
    {
        var documents = ImmutableArray.CreateBuilder<YamlDocument>();
        try
        {
            Next<StreamStart>();
            while (Move() && _parser.Current is DocumentStart start)
            {
                if (documents.Count == PolicyLimits.DocumentsInFile)
                {
                    _file.Add(
                        FindingCode.TooManyDocuments, Line(start), "",
                        $"The file has more than {PolicyLimits.DocumentsInFile} documents. Split it.");
                    break;
                }

                _document = new DocumentFindings(_file.File);
                _nodes = 0;
                if (start.Version is not null || start.Tags?.Any(tag => tag.Handle is not ("!" or "!!")) == true)
                {
                    _document.Add(
                        FindingCode.YamlDirective, Line(start), "", "A YAML directive stands here. Remove it.");
                }

                Move();
                var first = Current();
                var root = Node("", 0);
                Next<DocumentEnd>();
                documents.Add(new YamlDocument(root, Line(first), _document));
                _document = _file;
            }
        }
        catch (StopReadingException stop)
        {
            KeepFindings();
            _file.Add(stop.Code, stop.Line, stop.Pointer, stop.Message);
        }
        catch (YamlException fault)
        {
            KeepFindings();
            _file.Add(
                FindingCode.YamlSyntax, (int)fault.Start.Line, "",
                $"This is not YAML: {Plain(fault.Message)} Documents after this line were not read.");
        }

        return documents.ToImmutable();
    }

    private PolicyNode Node(string pointer, int depth)
    {
        var here = Current();
        if (++_nodes > PolicyLimits.Nodes)
        {
            throw new StopReadingException(
                FindingCode.TooManyNodes, Line(here), pointer,
                $"The document has more than {PolicyLimits.Nodes} values. Split it.");
        }

        if (depth > PolicyLimits.Depth)
        {
            throw new StopReadingException(
                FindingCode.TooDeep, Line(here), "", $"The document nests deeper than {PolicyLimits.Depth} levels.");
        }

        if (here is NodeEvent node)
        {
            RefuseTricks(node, pointer);
        }

        switch (here)
        {
            case Scalar scalar:
                return Text(scalar, pointer);
            case SequenceStart:
                return Sequence(pointer, depth, Line(here));
            case MappingStart:
                return Mapping(pointer, depth, Line(here));
            case AnchorAlias alias:
                _document.Add(
                    FindingCode.YamlAlias, Line(alias), pointer, "An alias stands here. Write the value itself.");
                return new PolicyNode.Nothing(Line(alias));
            default:
                throw Unfinished(Line(here));
        }
    }

    private void RefuseTricks(NodeEvent node, string pointer)
    {
        if (!node.Anchor.IsEmpty)
        {
            _document.Add(FindingCode.YamlAnchor, Line(node), pointer, "An anchor stands here. Remove it.");
        }

        if (!node.Tag.IsEmpty)
        {
            _document.Add(
                FindingCode.YamlTag, Line(node), pointer,
                "A tag stands here. Remove it: types follow from the member, never from the document.");
        }
    }

    private PolicyNode Text(Scalar scalar, string pointer)
    {
        if (scalar.Value.Length > PolicyLimits.TextLength)
        {
            _document.Add(
                FindingCode.TextTooLong, Line(scalar), pointer,
                $"The text has {scalar.Value.Length} characters; at most {PolicyLimits.TextLength} are read.");
            return new PolicyNode.Text("", Line(scalar));
        }

        return scalar.Style == ScalarStyle.Plain
            ? YamlScalars.Resolve(scalar.Value, Line(scalar), pointer, _document)
            : new PolicyNode.Text(scalar.Value, Line(scalar));
    }

    private PolicyNode.Items Sequence(string pointer, int depth, int line)
    {
        var items = ImmutableArray.CreateBuilder<PolicyNode>();
        while (Move() && _parser.Current is not SequenceEnd)
        {
            items.Add(Node($"{pointer}/{items.Count}", depth + 1));
        }

        return new PolicyNode.Items(items.ToImmutable(), line);
    }

    private PolicyNode.Members Mapping(string pointer, int depth, int line)
    {
        var members = ImmutableArray.CreateBuilder<PolicyMember>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (Move() && _parser.Current is not MappingEnd)
        {
            var key = Current();
            var name = Name(key, pointer, depth);
            Move();
            var at = $"{pointer}/{Quoted.Token(name ?? "")}";
            var value = Node(at, depth + 1);
            if (name is null)
            {
                continue;
            }

            if (!names.Add(name))
            {
                _document.Add(
                    FindingCode.DuplicateMember, Line(key), at,
                    $"The member {Quoted.Of(name)} is there twice. Remove one.");
                continue;
            }

            members.Add(new PolicyMember(name, value, Line(key)));
        }

        return new PolicyNode.Members(members.ToImmutable(), line);
    }

    private string? Name(ParsingEvent key, string pointer, int depth)
    {
        if (key is Scalar scalar && scalar.Value.Length <= PolicyLimits.TextLength)
        {
            RefuseTricks(scalar, pointer);
            if (scalar.Style == ScalarStyle.Plain && scalar.Value == "<<")
            {
                _document.Add(
                    FindingCode.YamlMergeKey, Line(key), pointer, "A merge key stands here. Write the members out.");
                return null;
            }

            return scalar.Value;
        }

        _document.Add(FindingCode.KeyNotText, Line(key), pointer, "A member's name must be a short text.");
        Node(pointer, depth + 1);
        return null;
    }

    /// <summary>
    /// What was found in the document at which reading stopped belongs to the file: there is no document.
    /// </summary>
    private void KeepFindings()
    {
        if (_document != _file)
        {
            _file.AddRange(_document);
        }
    }

    /// <summary>
    /// Goes to the next event. Where a list or a member ends in the middle the parser throws what its own queues throw,
    /// and not a syntax error; to us it is one.
    /// </summary>
    private bool Move()
    {
        try
        {
            return _parser.MoveNext();
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or FormatException
            or OverflowException or IndexOutOfRangeException or NullReferenceException)
        {
            throw Unfinished(_parser.Current is { } at ? Line(at) : 1);
        }
    }

    private ParsingEvent Current() => _parser.Current ?? throw new UnreachableException();

    private void Next<T>() where T : ParsingEvent
    {
        if (!Move() || _parser.Current is not T)
        {
            throw Unfinished(_parser.Current is { } at ? Line(at) : 1);
        }
    }

    // The parser gives events that its grammar does not allow for some broken texts, so no order of them is taken for
    // granted.
    private static StopReadingException Unfinished(int line) => new(
        FindingCode.YamlSyntax, line, "",
        "This is not YAML: a list, a member or a text is not finished. Documents after this line were not read.");

    private static int Line(ParsingEvent at) => (int)at.Start.Line;

    /// <summary>The library's sentence without its place, which we give ourselves.</summary>
    private static string Plain(string message)
    {
        var quoted = Quoted.Of(message[(message.IndexOf("): ", StringComparison.Ordinal) is > 0 and var at
            ? at + 3 : 0)..]);
        return quoted[1..^1].TrimEnd('.') + ".";
    }

    /// <summary>Leaves the recursion at a limit or a syntax error; never leaves this class.</summary>
    private sealed class StopReadingException(FindingCode code, int line, string pointer, string sentence)
        : Exception(sentence)
    {
        public FindingCode Code => code;
        public int Line => line;
        public string Pointer => pointer;
    }
}
