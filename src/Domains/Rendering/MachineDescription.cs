using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// What matters of a machine in libvirt's XML, as facts: a path in the document and a value. What libvirt completes by
/// itself (addresses, aliases, the controllers a bus needs) is left out by a closed list; everything else is a fact, so
/// an element or attribute that nobody thought of is a difference from the plan and not overlooked.
/// </summary>
public sealed class MachineDescription
{
    /// <summary>Largest document that is read, in characters.</summary>
    public const int MaxCharacters = 512 * 1024;

    /// <summary>Deepest element that is read.</summary>
    public const int MaxDepth = 16;

    private readonly ImmutableSortedDictionary<string, string> _facts;

    private MachineDescription(ImmutableSortedDictionary<string, string> facts) => _facts = facts;

    /// <summary>The facts by path.</summary>
    public IReadOnlyDictionary<string, string> Facts => _facts;

    /// <summary>
    /// SHA-256 of the facts as canonical JSON (RFC 8785): machines that differ in nothing have the same, whichever of
    /// libvirt's spellings describes them.
    /// </summary>
    public Digest32 Digest => Digest32.Of(CanonicalJson.Write(JsonSerializer.SerializeToElement(_facts)));

    /// <summary>The facts of a planned machine.</summary>
    public static MachineDescription Of(CompartmentPlan plan, MachinePaths paths) =>
        FromXml(MachineXml.Of(plan, paths));

    /// <summary>
    /// The facts of a document. One that cannot be read (not well formed, with a document type, too large or too deep)
    /// has one fact that no plan has: that it is unreadable.
    /// </summary>
    public static MachineDescription FromXml(string xml)
    {
        ArgumentNullException.ThrowIfNull(xml);
        if (xml.Length > MaxCharacters)
        {
            return Unreadable($"it has {xml.Length} characters, more than {MaxCharacters}");
        }

        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxCharacters,
            IgnoreComments = true,
            IgnoreWhitespace = true,
        };
        try
        {
            using var text = new StringReader(xml);
            using var reader = XmlReader.Create(text, settings);
            return XDocument.Load(reader).Root is { } root ? Read(root) : Unreadable("it is empty");
        }
        catch (XmlException fault)
        {
            return Unreadable(fault.Message);
        }
    }

    /// <summary>
    /// Each fact in which a machine differs from what it should be, as a sentence; empty if there is none.
    /// </summary>
    public static ImmutableArray<string> Differences(MachineDescription expected, MachineDescription actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        var differences = ImmutableArray.CreateBuilder<string>();
        foreach (var path in expected._facts.Keys.Union(actual._facts.Keys).Order(StringComparer.Ordinal))
        {
            var wanted = expected._facts.GetValueOrDefault(path);
            var found = actual._facts.GetValueOrDefault(path);
            if (!string.Equals(wanted, found, StringComparison.Ordinal))
            {
                differences.Add((wanted, found) switch
                {
                    (null, _) => $"{path} is '{Shown(found)}'; the plan has no such thing.",
                    (_, null) => $"{path} is missing; the plan says '{Shown(wanted)}'.",
                    (_, _) => $"{path} is '{Shown(found)}'; the plan says '{Shown(wanted)}'.",
                });
            }
        }

        return differences.ToImmutable();
    }

    private static string Shown(string? value) =>
        value is { Length: > 200 } ? value[..200] + "..." : value ?? "";

    private static MachineDescription Unreadable(string why) =>
        new(ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)
            .Add("unreadable description", why));

    private static MachineDescription Read(XElement root)
    {
        if (Depth(root) > MaxDepth)
        {
            return Unreadable($"it is deeper than {MaxDepth} elements");
        }

        var facts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Element(facts, root, "", root.Name.ToString());
        return new MachineDescription(facts.ToImmutableSortedDictionary(StringComparer.Ordinal));
    }

    private static int Depth(XElement root) => root.DescendantsAndSelf().Max(element =>
        element.Ancestors().Take(MaxDepth + 1).Count() + 1);

    private static void Element(SortedDictionary<string, string> facts, XElement element, string parent, string step)
    {
        var path = parent.Length == 0 ? step : $"{parent}/{step}";
        facts.Add(path, LibvirtCompletions.Value(element) ?? Text(element));
        foreach (var attribute in element.Attributes())
        {
            if (!LibvirtCompletions.IsOwn(attribute))
            {
                facts.Add($"{path}/@{attribute.Name}", LibvirtCompletions.Value(attribute));
            }
        }

        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var child in element.Elements())
        {
            if (LibvirtCompletions.IsOwn(child))
            {
                continue;
            }

            var name = LibvirtCompletions.Step(child);
            var count = seen[name] = seen.GetValueOrDefault(name) + 1;
            var unique = count == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}#{count}");
            Element(facts, child, path, unique);
        }
    }

    private static string Text(XElement element) =>
        string.Concat(element.Nodes().OfType<XText>().Select(text => text.Value)).Trim();
}
