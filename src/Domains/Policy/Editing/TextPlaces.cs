namespace Bailiwick.Domains.Policy.Editing;

/// <summary>Where in a file's text a change goes. Places are offsets in characters.</summary>
internal sealed class TextPlaces(string text)
{
    /// <summary>The text with a document behind its last.</summary>
    public static string Append(string text, string document)
    {
        var end = text.TrimEnd();
        return end.Length == 0 ? document : $"{end}\n---\n{document}";
    }

    /// <summary>The text with a value in a member's place, or with a member behind the last.</summary>
    public string? Set(PlacedNode under, string name, PolicyNode value)
    {
        if (under.Member(name) is { } member)
        {
            return ReplaceValue(member, FlowText.Of(value));
        }

        switch (under.Form)
        {
            case PlacedForm.FlowMembers:
                var comma = under.Children.IsEmpty ? "" : ", ";
                return text.Insert(under.End - 1, $"{comma}{name}: {FlowText.Of(value)}");
            case PlacedForm.BlockMembers when !under.Children.IsEmpty:
                var indent = Indent(under.Children[0].Start);
                var lines = value is PolicyNode.Items { Entries.Length: > 0 } items
                    ? string.Concat(items.Entries.Select(item => $"\n{indent}  - {FlowText.Of(item)}"))
                    : " " + FlowText.Of(value);
                return text.Insert(LineEnd(under.End), $"\n{indent}{name}:{lines}");
            default:
                return null;
        }
    }

    /// <summary>The text with one more entry in a list that is there.</summary>
    public string? Add(PlacedNode under, (PlacedNode Name, PlacedNode Value) member, PolicyNode item)
    {
        var (name, list) = member;
        return list.Form switch
        {
            // An empty list of a block becomes one with a line for each entry, as people write it.
            PlacedForm.FlowItems when list.Children.IsEmpty && under.Form == PlacedForm.BlockMembers =>
                ReplaceValue(member, $"\n{Indent(name.Start)}  - {FlowText.Of(item)}"),
            PlacedForm.FlowItems =>
                text.Insert(list.End - 1, (list.Children.IsEmpty ? "" : ", ") + FlowText.Of(item)),
            PlacedForm.BlockItems when !list.Children.IsEmpty && Dash(list.Children[0]) is { } dash =>
                text.Insert(LineEnd(list.End), $"\n{Indent(dash)}- {FlowText.Of(item)}"),
            _ => null,
        };
    }

    /// <summary>The text without one entry of a list.</summary>
    public string? Remove((PlacedNode Name, PlacedNode Value) member, int index)
    {
        var (list, items) = (member.Value, member.Value.Children);
        if (list.Form is not (PlacedForm.FlowItems or PlacedForm.BlockItems) || index >= items.Length)
        {
            return null;
        }

        if (items.Length == 1)
        {
            return ReplaceValue(member, "[]");
        }

        return list.Form == PlacedForm.FlowItems
            ? index + 1 < items.Length
                ? Cut(items[index].Start, items[index + 1].Start) : Cut(items[index - 1].End, items[index].End)
            : Dash(items[index]) is { } dash
                ? Cut(LineStart(dash), Math.Min(LineEnd(items[index].End) + 1, text.Length)) : null;
    }

    /// <summary>A value from behind its colon to its end; what stands behind it in the line stays.</summary>
    private string? ReplaceValue((PlacedNode Name, PlacedNode Value) member, string value)
    {
        var (colon, end) = (text.IndexOf(':', member.Name.End), member.Value.End);
        return colon < 0 || end <= colon ? null
            : text[..(colon + 1)] + (value.StartsWith('\n') ? "" : " ") + value + text[end..];
    }

    private string Cut(int from, int to) => text.Remove(from, to - from);

    private int LineStart(int place) => place == 0 ? 0 : text.LastIndexOf('\n', place - 1) + 1;

    /// <summary>Where the line ends in which a value ends; a text in lines ends behind its own last.</summary>
    private int LineEnd(int place)
    {
        if (place > 0 && text[place - 1] == '\n')
        {
            return place - 1;
        }

        var end = text.IndexOf('\n', place);
        return end < 0 ? text.Length : end > place && text[end - 1] == '\r' ? end - 1 : end;
    }

    private string Indent(int place) => new(' ', place - LineStart(place));

    private int? Dash(PlacedNode item)
    {
        var dash = text.LastIndexOf('-', item.Start);
        return dash >= LineStart(item.Start) ? dash : null;
    }
}
