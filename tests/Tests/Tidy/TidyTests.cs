using System.Text.RegularExpressions;

namespace Bailiwick.Tests.Tidy;

/// <summary>The habits of the house, executed: sizes, names, folders, links and the drawn references.</summary>
public sealed partial class TidyTests
{
    private static readonly string[] Promising = ["SPECIFICATION.md", "SECURITY.md"];

    private static readonly string[] Everything = ["src", "lab", "tests", "benchmarks"];

    [Fact]
    public void Files_have_at_most_500_lines() =>
        Assert.Empty(Checkout.Sources(Everything)
            .Where(p => File.ReadLines(p).Count() > 500).Select(Checkout.Relative));

    [Fact]
    public void Lines_have_at_most_120_characters() =>
        Assert.Empty(Checkout.Sources(Everything).SelectMany(p => File.ReadLines(p)
            .Select((line, i) => (line, place: $"{Checkout.Relative(p)}:{i + 1}"))
            .Where(x => x.line.Length > 120).Select(x => x.place)));

    [Fact]
    public void Methods_have_at_most_70_lines() =>
        Assert.Empty(Checkout.Sources(Everything).SelectMany(LongMethods));

    [Fact]
    public void The_method_counter_sees_a_long_method()
    {
        string[] lines =
            ["class C", "{", "    void M()", "    {", .. Enumerable.Repeat("        x();", 80), "    }", "}"];
        Assert.Single(LongMethods("sample.cs", lines));
    }

    [Fact]
    public void Namespaces_follow_folders()
    {
        var wrong = new List<string>();
        foreach (string path in Checkout.Sources(Everything))
        {
            Match found = Namespace().Match(File.ReadAllText(path));
            if (!found.Success)
            {
                continue;
            }

            string[] parts = Checkout.Relative(path).Split('/');
            int first = parts[0] is "src" or "tests" ? 1 : 0;
            string project = parts[0] switch { "lab" => "Lab", "benchmarks" => "Benchmarks", _ => parts[1] };
            string expected = string.Join('.', ["Bailiwick", project, .. parts[(first + 1)..^1]]);
            if (found.Groups[1].Value != expected)
            {
                wrong.Add($"{Checkout.Relative(path)}: {found.Groups[1].Value}, expected {expected}");
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void No_type_is_named_for_nothing_in_particular() =>
        Assert.Empty(Checkout.Sources(Everything).SelectMany(p => TypeNames(p)
            .Where(t => VagueName().IsMatch(t)).Select(t => $"{Checkout.Relative(p)}: {t}")));

    [Fact]
    public void No_type_is_named_like_a_namespace_segment()
    {
        HashSet<string> segments = [.. Checkout.Sources("src", "lab")
            .Select(p => Namespace().Match(File.ReadAllText(p)).Groups[1].Value)
            .SelectMany(n => n.Split('.'))];
        Assert.Empty(Checkout.Sources("src", "lab").SelectMany(TypeNames).Where(segments.Contains).Distinct());
    }

    [Fact]
    public void Manager_names_the_five_managers_and_nothing_else()
    {
        HashSet<string> allowed = ["CompartmentManager", "IntegrityManager", "VirtualNetworkManager",
            "VirtualStorageManager", "VirtualDeviceManager"];
        Assert.DoesNotContain(Checkout.Sources("src", "lab").SelectMany(TypeNames),
            t => t.EndsWith("Manager", StringComparison.Ordinal) && !allowed.Contains(t));
    }

    [Fact]
    public void Nothing_is_left_unfinished_in_the_product() =>
        Assert.Empty(Checkout.Sources("src", "lab").SelectMany(p => File.ReadLines(p)
            .Select((line, i) => (line, place: $"{Checkout.Relative(p)}:{i + 1}"))
            .Where(x => Unfinished().IsMatch(x.line)).Select(x => x.place)));

    [Fact]
    public void Only_the_host_folder_the_desks_converter_and_the_lab_start_programs() =>
        Assert.Empty(Checkout.Sources("src")
            .Where(p => !Checkout.Relative(p).StartsWith("src/Proxy/Host/", StringComparison.Ordinal)
                && Checkout.Relative(p) != "src/Custody/Images/ConfinedConverter.cs")
            .Where(p => StartsPrograms().IsMatch(File.ReadAllText(p))).Select(Checkout.Relative));

    [Fact]
    public void Project_references_are_the_ones_ARCHITECTURE_draws()
    {
        string drawing = File.ReadAllText(Path.Combine(Checkout.Root, "ARCHITECTURE.md"));
        var drawn = ReferenceRow().Matches(drawing)
            .SelectMany(m => m.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries)
                .Where(t => t != "nothing").Select(t => $"{m.Groups[1].Value} -> {t}"))
            .Order(StringComparer.Ordinal);
        var real = Directory.EnumerateFiles(Path.Combine(Checkout.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Append(Path.Combine(Checkout.Root, "lab/Lab.csproj"))
            .SelectMany(p => ProjectReference().Matches(File.ReadAllText(p))
                .Select(m => $"{Path.GetFileNameWithoutExtension(p)} -> {m.Groups[1].Value}"))
            .Order(StringComparer.Ordinal);
        Assert.Equal(real, drawn);
    }

    [Fact]
    public void Links_in_the_documents_lead_somewhere() =>
        Assert.Empty(Directory.EnumerateFiles(Checkout.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Checkout.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .SelectMany(doc => Link().Matches(File.ReadAllText(doc))
                .Select(m => m.Groups[1].Value.Split('#')[0])
                .Where(target => target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
                .Where(target => !Path.Exists(Path.Combine(Path.GetDirectoryName(doc) ?? ".", target)))
                .Select(target => $"{Checkout.Relative(doc)}: {target}")));

    [Fact]
    public void Every_promise_names_a_test_that_exists_or_says_test_pending()
    {
        HashSet<string> tests = [.. Checkout.Sources("tests")
            .SelectMany(p => TestName().Matches(File.ReadAllText(p)).Select(m => m.Groups[1].Value))];
        string[] promises = [.. Promising
            .SelectMany(document => File.ReadLines(Path.Combine(Checkout.Root, document)))
            .Where(line => PromiseRow().IsMatch(line))];
        Assert.NotEmpty(promises);
        Assert.Equal(promises.Length, promises.Select(row => row.Split('|')[1]).Distinct().Count());
        Assert.DoesNotContain(promises, row => !row.Contains("test pending", StringComparison.Ordinal)
            && (!Quoted().IsMatch(row) || Quoted().Matches(row).Any(m => !tests.Contains(m.Groups[1].Value))));
    }

    private static IEnumerable<string> LongMethods(string path) => LongMethods(path, File.ReadAllLines(path));

    /// <summary>A member is a brace block that opens alone on a line, four spaces inside its type.</summary>
    private static IEnumerable<string> LongMethods(string path, string[] lines)
    {
        for (int depth = 4; depth <= 8; depth += 4)
        {
            string open = new string(' ', depth) + "{", close = new string(' ', depth) + "}";
            for (int i = 1; i < lines.Length; i++)
            {
                if (lines[i] != open)
                {
                    continue;
                }

                int end = Array.FindIndex(lines, i, l => l.StartsWith(close, StringComparison.Ordinal));
                bool isType = lines.Take(i).Reverse().TakeWhile(l => l.Trim() is not ("" or "{" or "}"))
                    .Any(l => TypeHeader().IsMatch(l));
                if (!isType && end - i - 1 > 70)
                {
                    yield return $"{Checkout.Relative(path)}:{i + 1} has {end - i - 1} lines";
                }
            }
        }
    }

    private static IEnumerable<string> TypeNames(string path) =>
        TypeName().Matches(File.ReadAllText(path)).Select(m => m.Groups[1].Value);

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();
    [GeneratedRegex(
        @"^\s*(?:(?:public|internal|private|protected|sealed|static|abstract|partial|readonly|ref|unsafe|file|record)"
        + @"\s+)*"
        + @"(?:class|struct|interface|enum|record)\s+(\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeName();
    [GeneratedRegex(@"\b(class|struct|interface|enum|record)\s+\w+")]
    private static partial Regex TypeHeader();
    [GeneratedRegex("(Helper|Helpers|Util|Utils|Utilities|Common|Misc|Base|Impl)$")]
    private static partial Regex VagueName();
    [GeneratedRegex("NotImplementedException|TODO|FIXME|HACK|XXX")]
    private static partial Regex Unfinished();
    [GeneratedRegex(@"Process\.Start\(|new ProcessStartInfo|new Process\b")]
    private static partial Regex StartsPrograms();
    [GeneratedRegex(@"^\| `(\w+)` \| ([\w, ]+) \|", RegexOptions.Multiline)]
    private static partial Regex ReferenceRow();
    [GeneratedRegex(@"<ProjectReference Include=""[^""]*/(\w+)\.csproj""")]
    private static partial Regex ProjectReference();
    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
    [GeneratedRegex(@"(?:void|Task|ValueTask) (\w+)\(")]
    private static partial Regex TestName();
    [GeneratedRegex(@"^\| [A-Z]\w*\d+ \|")]
    private static partial Regex PromiseRow();
    [GeneratedRegex("`([A-Z][A-Za-z0-9]*_[A-Za-z0-9_]+)`")]
    private static partial Regex Quoted();
}
