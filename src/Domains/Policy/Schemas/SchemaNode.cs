using System.Text.Json.Nodes;

namespace Bailiwick.Domains.Policy.Schemas;

/// <summary>
/// What a reader asks of one value, noted while it reads. A value may be read in several shapes; each is allowed.
/// </summary>
/// <param name="pass">Which reading it is.</param>
internal sealed class SchemaNode(SchemaPass pass)
{
    private readonly SortedDictionary<string, SchemaNode> _members = new(StringComparer.Ordinal);
    private HashSet<string>? _required;
    private HashSet<string> _needed = [];
    private (SchemaNode Values, int Most)? _each;
    private (SchemaNode Item, int Least, int Most, bool AreDistinct)? _list;
    private (long Least, long Most)? _integer;
    private readonly List<string> _patterns = [];
    private readonly List<string> _words = [];
    private bool _isObject, _isText, _allowsOthers;

    /// <summary>Whether the reader shall take it for an object, where it may be one or something else.</summary>
    public bool IsReadAsObject => pass.ReadsObjects;

    /// <summary>The members, where it is an object of its own.</summary>
    public IReadOnlyDictionary<string, SchemaNode> Members => _members;

    /// <summary>What an object of named values holds, or what a list does.</summary>
    public SchemaNode? Inner => _each?.Values ?? _list?.Item;

    /// <summary>Begins to read it as an object that has no other members than these.</summary>
    public void Object(ReadOnlySpan<string> members)
    {
        _isObject = true;
        foreach (var name in members)
        {
            May(name);
        }
    }

    /// <summary>A member that may be there.</summary>
    public SchemaNode May(string name)
    {
        _isObject = true;
        if (!_members.TryGetValue(name, out var member))
        {
            _members[name] = member = new SchemaNode(pass);
        }

        return member;
    }

    /// <summary>A member that must be there.</summary>
    public SchemaNode Need(string name)
    {
        _needed.Add(name);
        return May(name);
    }

    /// <summary>Of several readings, what each of them needs is required.</summary>
    public void EndReading()
    {
        if (_needed.Count > 0 || _required is not null)
        {
            _required = _required is null ? _needed : [.. _required.Intersect(_needed)];
        }

        _needed = [];
        foreach (var member in _members.Values.Append(Inner).OfType<SchemaNode>())
        {
            member.EndReading();
        }
    }

    /// <summary>An object whose members' names are the document's own.</summary>
    public SchemaNode Each(int most)
    {
        _each ??= (new SchemaNode(pass), most);
        return _each.Value.Values;
    }

    /// <summary>A list.</summary>
    public SchemaNode Items(int least, int most)
    {
        _list ??= (new SchemaNode(pass), least, most, false);
        return _list.Value.Item;
    }

    /// <summary>The list's entries differ.</summary>
    public void Distinct() => _list = _list is { } list ? list with { AreDistinct = true } : null;

    /// <summary>An integer.</summary>
    public void Integer(long least, long most) => _integer = (least, most);

    /// <summary>The object has members that are read elsewhere.</summary>
    public void AllowOthers() => _allowsOthers = true;

    /// <summary>A text of any form.</summary>
    public void Text() => _isText = true;

    /// <summary>A text of a form (ECMA 262).</summary>
    public void Pattern(string pattern)
    {
        if (!_patterns.Contains(pattern))
        {
            _patterns.Add(pattern);
        }
    }

    /// <summary>A text of a closed set.</summary>
    public void Words(IEnumerable<string> words) => _words.AddRange(words.Except(_words).ToArray());

    /// <summary>As JSON Schema (draft 07).</summary>
    /// <param name="describe">What a member is, by its path.</param>
    /// <param name="path">Where it is: <c>Domain.hosts.assurance</c>.</param>
    public JsonObject ToJson(Func<string, string> describe, string path)
    {
        var shapes = Shapes(describe, path).ToArray();
        return shapes.Length switch
        {
            0 => [],
            1 => shapes[0],
            _ => new JsonObject { ["anyOf"] = new JsonArray([.. shapes]) },
        };
    }

    private IEnumerable<JsonObject> Shapes(Func<string, string> describe, string path)
    {
        if (_isObject)
        {
            yield return Object(describe, path);
        }

        if (_each is { } each)
        {
            yield return new JsonObject
            {
                ["type"] = "object", ["maxProperties"] = each.Most,
                ["propertyNames"] = new JsonObject { ["pattern"] = SchemaForms.Name },
                ["additionalProperties"] = each.Values.ToJson(describe, path),
            };
        }

        if (_list is { } list)
        {
            yield return List(list, describe, path);
        }

        if (_integer is { } integer)
        {
            yield return new JsonObject
            {
                ["type"] = "integer", ["minimum"] = integer.Least, ["maximum"] = integer.Most,
            };
        }

        if (_words.Count > 0)
        {
            yield return new JsonObject { ["enum"] = new JsonArray([.. _words.Select(word => (JsonNode)word)]) };
        }

        foreach (var pattern in _patterns)
        {
            yield return new JsonObject { ["type"] = "string", ["pattern"] = pattern };
        }

        if (_isText && _words.Count == 0 && _patterns.Count == 0)
        {
            yield return new JsonObject { ["type"] = "string" };
        }
    }

    private JsonObject Object(Func<string, string> describe, string path)
    {
        var properties = new JsonObject();
        foreach (var (name, member) in _members)
        {
            var at = $"{path}.{name}";
            var schema = member.ToJson(describe, at);
            schema.Insert(0, "description", describe(at));
            properties[name] = schema;
        }

        var json = new JsonObject
        {
            ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = _allowsOthers,
        };
        if (_required is { Count: > 0 } required)
        {
            json["required"] = new JsonArray(
                [.. required.Order(StringComparer.Ordinal).Select(name => (JsonNode)name)]);
        }

        return json;
    }

    private static JsonObject List(
        (SchemaNode Item, int Least, int Most, bool AreDistinct) list, Func<string, string> describe, string path)
    {
        var json = new JsonObject { ["type"] = "array", ["items"] = list.Item.ToJson(describe, path) };
        if (list.Least > 0)
        {
            json["minItems"] = list.Least;
        }

        json["maxItems"] = list.Most;
        if (list.AreDistinct)
        {
            json["uniqueItems"] = true;
        }

        return json;
    }
}

/// <summary>One of the readings of which a schema is made.</summary>
internal sealed class SchemaPass
{
    /// <summary>Whether what may be an object or a word is read as an object.</summary>
    public bool ReadsObjects { get; set; }
}
