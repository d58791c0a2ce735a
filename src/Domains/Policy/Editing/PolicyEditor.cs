using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Bailiwick.Domains.Policy.Reading;

namespace Bailiwick.Domains.Policy.Editing;

/// <summary>
/// Changes what people wrote without touching the rest: comments, order and form stay. Nothing of the text's form is
/// relied on: the new text is read as every reader reads it, and is given out only if it says what the old one says
/// with the change, and nothing else.
/// </summary>
public static class PolicyEditor
{
    private const string ByHand = "Make the change by hand, or write that part in the form the examples have.";

    /// <summary>Applies one edit to the text of one file.</summary>
    /// <param name="text">The file, as it is.</param>
    /// <param name="edit">The change.</param>
    public static EditedText Apply(string text, PolicyEdit edit)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(edit);
        if (Roots(text) is not { } roots)
        {
            return new EditedText.Refused("The file has findings of its own; `bailiwick policy check` lists them.");
        }

        var at = roots.FindIndex(root => IsOf(root, edit));
        if (edit is PolicyEdit.Append == at >= 0)
        {
            return new EditedText.Refused(at >= 0
                ? $"The file has a {edit.Kind} {edit.Name} already."
                : $"The file has no {edit.Kind} {edit.Name}.");
        }

        var (wanted, changed) = edit switch
        {
            PolicyEdit.Append append => (roots.Add(Whole(append)), TextPlaces.Append(text, Written(append))),
            PolicyEdit.SetMember or PolicyEdit.AddItem or PolicyEdit.RemoveItem =>
                (roots.SetItem(at, Changed(roots[at], edit)), InPlace(text, at, edit)),
            _ => throw new UnreachableException(),
        };
        return changed is not null && Roots(changed) is { } now && now.Count == wanted.Count
            && now.Zip(wanted).All(pair => Json(pair.First) == Json(pair.Second))
            ? new EditedText.Done(changed)
            : new EditedText.Refused($"{edit.Kind} {edit.Name} is written in a form that is not changed safely here. "
                + ByHand);
    }

    private static ImmutableList<PolicyNode>? Roots(string text)
    {
        var findings = new DocumentFindings("");
        var documents = YamlReader.Read(Encoding.UTF8.GetBytes(text), findings);
        return findings.Any || documents.Any(one => one.Findings.Any) ? null : [.. documents.Select(one => one.Root)];
    }

    private static bool IsOf(PolicyNode root, PolicyEdit edit) => root is PolicyNode.Members members
        && (members.Find("kind") as PolicyNode.Text)?.Value == edit.Kind.ToString()
        && (members.Find("name") as PolicyNode.Text)?.Value == edit.Name.Text;

    private static PolicyNode.Members Whole(PolicyEdit.Append append) => new(
    [
        new PolicyMember("kind", new PolicyNode.Text(append.Kind.ToString(), 0), 0),
        new PolicyMember("name", new PolicyNode.Text(append.Name.Text, 0), 0),
        .. append.Body.Entries,
    ], 0);

    private static string Written(PolicyEdit.Append append) => string.Concat(
        Whole(append).Entries.Select(member => $"{member.Name}: {FlowText.Of(member.Value)}\n"));

    /// <summary>What the document must say afterwards.</summary>
    private static PolicyNode Changed(PolicyNode root, PolicyEdit edit) => (root, edit) switch
    {
        (PolicyNode.Members members, PolicyEdit.SetMember set) => members.With(set.Member, set.Value),
        (PolicyNode.Members members, PolicyEdit.AddItem add) => With(members, add.List, add.Item),
        (PolicyNode.Members members, PolicyEdit.RemoveItem remove) =>
            members.Find(remove.List) is PolicyNode.Items items && remove.Index < items.Entries.Length
                ? members.With(remove.List, new PolicyNode.Items(items.Entries.RemoveAt(remove.Index), 0)) : root,
        _ => root,
    };

    private static PolicyNode.Members With(PolicyNode.Members members, ImmutableArray<string> list, PolicyNode item)
    {
        var value = members.Find(list[0]);
        return list.Length > 1
            ? value is PolicyNode.Members inner ? members.With(list[0], With(inner, list[1..], item)) : members
            : value switch
            {
                PolicyNode.Items items => members.With(list[0], new PolicyNode.Items(items.Entries.Add(item), 0)),
                null => members.With(list[0], new PolicyNode.Items([item], 0)),
                _ => members,
            };
    }

    private static string? InPlace(string text, int document, PolicyEdit edit)
    {
        if (PlacedNode.Roots(text) is not { } roots || document >= roots.Length)
        {
            return null;
        }

        var (places, root) = (new TextPlaces(text), roots[document]);
        return edit switch
        {
            PolicyEdit.SetMember set => places.Set(root, set.Member, set.Value),
            PolicyEdit.AddItem add => Add(places, root, add.List, add.Item),
            PolicyEdit.RemoveItem remove =>
                root.Member(remove.List) is { } list ? places.Remove(list, remove.Index) : null,
            _ => throw new UnreachableException(),
        };
    }

    private static string? Add(TextPlaces places, PlacedNode under, ImmutableArray<string> list, PolicyNode item) =>
        (under.Member(list[0]), list.Length) switch
        {
            ({ } inner, > 1) => Add(places, inner.Value, list[1..], item),
            ({ } there, 1) => places.Add(under, there, item),
            (null, 1) => places.Set(under, list[0], new PolicyNode.Items([item], 0)),
            _ => null,
        };

    private static string Json(PolicyNode node)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            node.Write(writer);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
