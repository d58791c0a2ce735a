using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Policy.Schemas;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>
/// A value at its place in a document, read by the type its member demands. What does not fit is a finding, and a
/// stand-in is returned so that reading goes on: a document with any finding is thrown away whole by its reader.
/// </summary>
internal sealed partial class Value
{
    private static readonly StatementName NoName = StatementName.Parse("none");

    private readonly PolicyNode? _node;

    // There is no document then: what a reader asks of each value is noted, and that is the kind's schema.
    private readonly SchemaNode? _drawn;
    private readonly string _pointer;
    private readonly DocumentFindings _findings;
    private readonly int _line;

    private Value(
        PolicyNode? node, string pointer, DocumentFindings findings, int line, SchemaNode? drawn = null)
    {
        _node = node;
        _pointer = pointer;
        _findings = findings;
        _line = line;
        _drawn = drawn;
    }

    /// <summary>The JSON pointer of the value.</summary>
    public string Pointer => _pointer;

    /// <summary>False when there is no value, and nothing more to be said about it.</summary>
    public bool IsPresent => _node is not null || _drawn is not null;

    /// <summary>Whether it is an object.</summary>
    public bool HasMembers => _node is PolicyNode.Members || _drawn is { IsReadAsObject: true };

    /// <summary>The whole body.</summary>
    public static Value Of(PolicyNode body, DocumentFindings findings) => new(body, "", findings, body.Line);

    /// <summary>No document at all: reading it draws the schema of what can stand here.</summary>
    public static Value Drawing(SchemaNode drawn) => new(null, "", new DocumentFindings("schema"), 0, drawn);

    /// <summary>Adds a finding at this value.</summary>
    public void Fault(FindingCode code, string sentence) => _findings.Add(code, _line, _pointer, sentence);

    /// <summary>Demands an object that has no other members than these.</summary>
    public Value Only(params ReadOnlySpan<string> known)
    {
        _drawn?.Object(known);
        if (_node is null)
        {
            return this;
        }

        if (_node is not PolicyNode.Members members)
        {
            Wrong("members");
            return new Value(null, _pointer, _findings, _line);
        }

        foreach (var member in members.Entries)
        {
            if (!known.Contains(member.Name))
            {
                var near = Quoted.Nearest(member.Name, known.ToArray());
                _findings.Add(
                    FindingCode.UnknownMember, member.Line, At(member.Name),
                    $"There is no member {Quoted.Of(member.Name)} here"
                    + (near is null
                        ? $"; there are {string.Join(", ", known.ToArray())}." : $"; did you mean {near}?"));
            }
        }

        return this;
    }

    /// <summary>A member that must be there.</summary>
    public Value Need(string name, FindingCode missing = FindingCode.MissingMember)
    {
        _drawn?.Need(name);
        var member = May(name);
        if (!member.IsPresent && _node is PolicyNode.Members)
        {
            Fault(missing, $"The member {name} is missing. Add it.");
        }

        return member;
    }

    /// <summary>A member that may be there.</summary>
    public Value May(string name)
    {
        var found = (_node as PolicyNode.Members)?.Find(name);
        return new Value(found, At(name), _findings, found?.Line ?? _line, _drawn?.May(name));
    }

    /// <summary>Every member of an object whose members' names are the document's own.</summary>
    public IEnumerable<(string Name, Value Value)> Each(int max)
    {
        if (_drawn is not null)
        {
            return [("name", new Value(null, _pointer, _findings, _line, _drawn.Each(max)))];
        }

        if (_node is null)
        {
            return [];
        }

        if (_node is not PolicyNode.Members members)
        {
            Wrong("members");
            return [];
        }

        if (members.Entries.Length > max)
        {
            Fault(FindingCode.TooManyItems, $"There are {members.Entries.Length} members; at most {max} may be.");
            return [];
        }

        return members.Entries.Select(
            member => (member.Name, new Value(member.Value, At(member.Name), _findings, member.Line)));
    }

    /// <summary>Every entry of a list.</summary>
    public IEnumerable<Value> Items(int min, int max)
    {
        if (_drawn is not null)
        {
            return [new Value(null, _pointer, _findings, _line, _drawn.Items(min, max))];
        }

        if (_node is null)
        {
            return [];
        }

        if (_node is not PolicyNode.Items items)
        {
            Wrong("a list");
            return [];
        }

        if (items.Entries.Length < min)
        {
            Fault(FindingCode.EmptyList, "The list is empty; name at least one.");
        }

        if (items.Entries.Length > max)
        {
            Fault(FindingCode.TooManyItems, $"The list has {items.Entries.Length} entries; at most {max} may be.");
            return [];
        }

        return items.Entries.Select((item, i) => new Value(item, $"{_pointer}/{i}", _findings, item.Line));
    }

    /// <summary>A list whose entries must differ.</summary>
    public ImmutableArray<T> Distinct<T>(int min, int max, Func<Value, T> read)
    {
        var seen = new HashSet<T>();
        var entries = ImmutableArray.CreateBuilder<T>();
        foreach (var item in Items(min, max))
        {
            var before = _findings.All.Count;
            var entry = read(item);
            if (_findings.All.Count == before && !seen.Add(entry))
            {
                item.Fault(FindingCode.DuplicateItem, "The list already has this entry. Remove one.");
            }

            entries.Add(entry);
        }

        _drawn?.Distinct();
        return entries.ToImmutable();
    }

    /// <summary>An integer within a range.</summary>
    public int Integer(int min, int max)
    {
        _drawn?.Integer(min, max);
        if (_node is not PolicyNode.Integer integer)
        {
            Wrong("an integer");
            return min;
        }

        if (integer.Value >= min && integer.Value <= max)
        {
            return (int)integer.Value;
        }

        Fault(FindingCode.OutOfRange, $"{integer.Value} is not from {min} to {max}.");
        return min;
    }

    /// <summary>A word of a closed set.</summary>
    public T Word<T>() where T : struct, Enum
    {
        _drawn?.Words(WireText.All<T>());
        if (Text() is not { } text)
        {
            return default;
        }

        if (!WireText.TryParse<T>(text, out var word))
        {
            var near = Quoted.Nearest(text, WireText.All<T>());
            Fault(
                FindingCode.UnknownEnumValue,
                $"{Quoted.Of(text)} is none of {string.Join(", ", WireText.All<T>())}"
                + (near is null ? "." : $"; did you mean {near}?"));
        }

        return word;
    }

    /// <summary>The kind of a statement, as the ledger writes it; null after a finding.</summary>
    public StatementKind? Kind()
    {
        if (Text() is not { } text)
        {
            return null;
        }

        if (StatementKinds.TryParse(text, out var kind) && kind.IsPolicy())
        {
            return kind;
        }

        var known = StatementKinds.All.Where(one => one.IsPolicy()).Select(one => one.WireName()).ToArray();
        var near = Quoted.Nearest(text, known);
        Fault(
            FindingCode.UnknownKind,
            $"{Quoted.Of(text)} is none of {string.Join(", ", known)}"
            + (near is null ? "." : $"; did you mean {near}?"));
        return null;
    }

    /// <summary>The name of a statement.</summary>
    public StatementName Name()
    {
        _drawn?.Pattern(SchemaForms.Name);
        if (Text() is not { } text)
        {
            return NoName;
        }

        if (StatementName.TryParse(text, out var name))
        {
            return name;
        }

        Fault(
            FindingCode.BadName,
            $"{Quoted.Of(text)} is not a name: a lower-case letter, then up to 39 lower-case letters, digits or "
            + "hyphens, the last not a hyphen" + (text.Contains('/', StringComparison.Ordinal)
                ? "; only flows and disks reach another party, everything else is the tenant's own." : "."));
        return NoName;
    }

    /// <summary>A party: its name in an authored document, its id in a signed one.</summary>
    public PartyId Party(PartyNames? names) =>
        Formed(SchemaForms.Name) is { } text && ParseParty(text, names) is { } party ? party : PartyId.Unsigned("");

    /// <summary>A domain of any party: <c>party/name</c>.</summary>
    public DomainRef Domain(PartyNames? names)
    {
        var (party, name) = Reference(names);
        return new DomainRef(party, name);
    }

    /// <summary>A medium of an operator's hosts: <c>operator/name</c>.</summary>
    public MediumRef Medium(PartyNames? names)
    {
        var (party, name) = Reference(names);
        return new MediumRef(party, name);
    }

    /// <summary>A volume: a name of the owner's own, or <c>party/name</c> of any party.</summary>
    public VolumeRef Volume(PartyNames? names, PartyId owner)
    {
        _drawn?.Pattern(SchemaForms.Reference);
        if (_node is not PolicyNode.Text { Value: var text } || !text.Contains('/', StringComparison.Ordinal))
        {
            return new VolumeRef(owner, Name());
        }

        var (party, name) = Reference(names);
        return new VolumeRef(party, name);
    }

    private (PartyId Party, StatementName Name) Reference(PartyNames? names)
    {
        var nobody = (PartyId.Unsigned(""), NoName);
        if (Formed(SchemaForms.Reference) is not { } text)
        {
            return nobody;
        }

        var parts = text.Split('/');
        if (parts.Length != 2 || !StatementName.TryParse(parts[1], out var name))
        {
            Fault(FindingCode.BadReference, $"{Quoted.Of(text)} is not a reference such as bank/ledger.");
            return nobody;
        }

        return ParseParty(parts[0], names) is { } party ? (party, name) : nobody;
    }

    /// <summary>A public key in base64.</summary>
    public ImmutableArray<byte> Key()
    {
        if (Formed(SchemaForms.Key) is not { } text)
        {
            return [];
        }

        if (PublicKey.TryParseBase64(text, out var key))
        {
            return [.. key.SubjectPublicKeyInfo];
        }

        Fault(FindingCode.BadKey, "This is not a P-256 SubjectPublicKeyInfo (DER) in base64.");
        return [];
    }

    /// <summary>A text, or null with a finding.</summary>
    public string? Text()
    {
        _drawn?.Text();
        if (_node is PolicyNode.Text text)
        {
            return text.Value;
        }

        Wrong("a text");
        return null;
    }

    /// <summary>An integer or a text, as the text of either: for ports.</summary>
    public string? TextOrInteger()
    {
        if (_node is PolicyNode.Integer integer)
        {
            return integer.Value.ToString(CultureInfo.InvariantCulture);
        }

        if (_node is PolicyNode.Text text)
        {
            return text.Value;
        }

        Wrong("an integer or a text");
        return null;
    }

    /// <summary>A text of a form that its caller looks at more closely.</summary>
    private string? Formed(string pattern)
    {
        _drawn?.Pattern(pattern);
        return Text();
    }

    private PartyId? ParseParty(string text, PartyNames? names)
    {
        if (names is null)
        {
            if (PartyId.TryParse(text, out var id))
            {
                return id;
            }

            Fault(FindingCode.BadReference, $"{Quoted.Of(text)} is not a party's id of 64 lower-case hex digits.");
            return null;
        }

        if (names.Find(text) is { } known)
        {
            return known;
        }

        var near = Quoted.Nearest(text, names.Names);
        Fault(
            FindingCode.UnknownParty,
            $"There is no party {Quoted.Of(text)}" + (near is null ? "." : $"; did you mean {near}?"));
        return null;
    }

    private void Wrong(string wanted)
    {
        if (_node is not null)
        {
            Fault(FindingCode.WrongType, $"Here stands {_node.Describe()}, but {wanted} is needed.");
        }
    }

    private string At(string name) => $"{_pointer}/{Quoted.Token(name)}";
}
