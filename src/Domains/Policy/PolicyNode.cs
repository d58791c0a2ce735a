using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// A value of a policy's body: the JSON data model without fractions, with the line each value was written on. A closed
/// set.
/// </summary>
public abstract class PolicyNode
{
    private PolicyNode(int line) => Line = line;

    /// <summary>1-based line in the authored file; 0 when it came from a signed statement.</summary>
    public int Line { get; }

    /// <summary>An object.</summary>
    public sealed class Members(ImmutableArray<PolicyMember> entries, int line) : PolicyNode(line)
    {
        /// <summary>The members in their order; no name is there twice.</summary>
        public ImmutableArray<PolicyMember> Entries { get; } = entries;

        /// <summary>The value of a member, or null.</summary>
        public PolicyNode? Find(string name) => Entries.FirstOrDefault(entry => entry.Name == name)?.Value;

        /// <summary>The same object with one value replaced or added.</summary>
        internal Members With(string name, PolicyNode value)
        {
            var at = Entries.ToList().FindIndex(entry => entry.Name == name);
            var member = new PolicyMember(name, value, at < 0 ? Line : Entries[at].Line);
            return new Members(at < 0 ? Entries.Add(member) : Entries.SetItem(at, member), Line);
        }

        /// <summary>The same object without some members.</summary>
        internal Members Without(params string[] names) =>
            new(Entries.RemoveAll(entry => names.Contains(entry.Name)), Line);
    }

    /// <summary>A list.</summary>
    public sealed class Items(ImmutableArray<PolicyNode> entries, int line) : PolicyNode(line)
    {
        /// <summary>The entries.</summary>
        public ImmutableArray<PolicyNode> Entries { get; } = entries;
    }

    /// <summary>A text.</summary>
    public sealed class Text(string value, int line) : PolicyNode(line)
    {
        /// <summary>The text.</summary>
        public string Value { get; } = value;
    }

    /// <summary>An integer within 2^53 - 1 of zero.</summary>
    public sealed class Integer(long value, int line) : PolicyNode(line)
    {
        /// <summary>The number.</summary>
        public long Value { get; } = value;
    }

    /// <summary>True or false.</summary>
    public sealed class Truth(bool value, int line) : PolicyNode(line)
    {
        /// <summary>Which.</summary>
        public bool Value { get; } = value;
    }

    /// <summary>Nothing, where something could stand.</summary>
    public sealed class Nothing(int line) : PolicyNode(line);

    /// <summary>What it is, for a sentence.</summary>
    internal string Describe() => this switch
    {
        Members => "members",
        Items => "a list",
        Text => "a text",
        Integer => "an integer",
        Truth => "true or false",
        Nothing => "nothing",
        _ => throw new UnreachableException(),
    };

    /// <summary>The body of a signed statement, whose limits the ledger has checked.</summary>
    internal static PolicyNode Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => new Members(
            [.. value.EnumerateObject().Select(member => new PolicyMember(member.Name, Of(member.Value), 0))], 0),
        JsonValueKind.Array => new Items([.. value.EnumerateArray().Select(Of)], 0),
        JsonValueKind.String => new Text(value.GetString() ?? throw new UnreachableException(), 0),
        JsonValueKind.Number => new Integer(value.GetInt64(), 0),
        JsonValueKind.True => new Truth(true, 0),
        JsonValueKind.False => new Truth(false, 0),
        JsonValueKind.Null => new Nothing(0),
        JsonValueKind.Undefined => throw new ArgumentException("There is no value.", nameof(value)),
        _ => throw new UnreachableException(),
    };

    /// <summary>Writes the value as JSON, members in their own order.</summary>
    internal void Write(Utf8JsonWriter writer)
    {
        switch (this)
        {
            case Members members:
                writer.WriteStartObject();
                foreach (var member in members.Entries)
                {
                    writer.WritePropertyName(member.Name);
                    member.Value.Write(writer);
                }

                writer.WriteEndObject();
                break;
            case Items items:
                writer.WriteStartArray();
                foreach (var item in items.Entries)
                {
                    item.Write(writer);
                }

                writer.WriteEndArray();
                break;
            case Text text:
                writer.WriteStringValue(text.Value);
                break;
            case Integer integer:
                writer.WriteNumberValue(integer.Value);
                break;
            case Truth truth:
                writer.WriteBooleanValue(truth.Value);
                break;
            case Nothing:
                writer.WriteNullValue();
                break;
            default:
                throw new UnreachableException();
        }
    }
}

/// <summary>A member of an object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
/// <param name="Line">The line of its name; 0 when it came from a signed statement.</param>
public sealed record PolicyMember(string Name, PolicyNode Value, int Line);
