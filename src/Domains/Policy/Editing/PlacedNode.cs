using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Bailiwick.Domains.Policy.Editing;

/// <summary>A value with its place in a text; only for texts that <c>YamlReader</c> found nothing wrong with.</summary>
/// <param name="Start">Offset in characters of its first character.</param>
/// <param name="End">Offset behind its last character.</param>
/// <param name="Form">How it is written.</param>
/// <param name="Text">A scalar's text; empty for others.</param>
/// <param name="Children">A list's entries; a mapping's names and values in turn.</param>
internal sealed record PlacedNode(
    int Start, int End, PlacedForm Form, string Text, ImmutableArray<PlacedNode> Children)
{
    /// <summary>The roots of a text's documents; null when it cannot be read.</summary>
    public static ImmutableArray<PlacedNode>? Roots(string text)
    {
        var parser = new Parser(new StringReader(text));
        var roots = ImmutableArray.CreateBuilder<PlacedNode>();
        try
        {
            while (parser.MoveNext())
            {
                if (parser.Current is NodeEvent)
                {
                    roots.Add(Read(parser));
                }
            }
        }
        catch (YamlException)
        {
            return null;
        }

        return roots.ToImmutable();
    }

    /// <summary>The members of a mapping, name and value; nothing for other values.</summary>
    public IEnumerable<(PlacedNode Name, PlacedNode Value)> Members =>
        Form is PlacedForm.BlockMembers or PlacedForm.FlowMembers
            ? Children.Chunk(2).Select(pair => (pair[0], pair[1])) : [];

    /// <summary>A member of a mapping, or null.</summary>
    public (PlacedNode Name, PlacedNode Value)? Member(string name) => Members
        .Where(one => one.Name.Text == name).Select(one => ((PlacedNode, PlacedNode)?)one).FirstOrDefault();

    private static PlacedNode Read(Parser parser)
    {
        var at = parser.Current;
        switch (at)
        {
            case MappingStart mapping:
                return Collection(
                    parser, mapping.Style == MappingStyle.Flow, PlacedForm.FlowMembers, PlacedForm.BlockMembers);
            case SequenceStart list:
                return Collection(
                    parser, list.Style == SequenceStyle.Flow, PlacedForm.FlowItems, PlacedForm.BlockItems);
            case Scalar scalar:
                return new PlacedNode(
                    (int)scalar.Start.Index, (int)scalar.End.Index, PlacedForm.Scalar, scalar.Value, []);
            default:
                throw new YamlException("No value stands here.");
        }
    }

    private static PlacedNode Collection(Parser parser, bool flow, PlacedForm flowing, PlacedForm block)
    {
        var start = (int)(parser.Current?.Start.Index ?? 0);
        var children = ImmutableArray.CreateBuilder<PlacedNode>();
        while (parser.MoveNext() && parser.Current is not (MappingEnd or SequenceEnd))
        {
            children.Add(Read(parser));
        }

        // The mark of a closing bracket is just before it; that of a block's end lies behind the comments that follow.
        var end = flow || children.Count == 0 ? (int)(parser.Current?.Start.Index ?? start) + 1 : children[^1].End;
        return new PlacedNode(start, end, flow ? flowing : block, "", children.ToImmutable());
    }
}

/// <summary>How a value is written. A closed set.</summary>
internal enum PlacedForm
{
    /// <summary>A text, a number, true, false, or nothing.</summary>
    Scalar,

    /// <summary>A mapping with a line for each member.</summary>
    BlockMembers,

    /// <summary>A mapping between braces.</summary>
    FlowMembers,

    /// <summary>A list with a dash for each entry.</summary>
    BlockItems,

    /// <summary>A list between brackets.</summary>
    FlowItems,
}
