using System.Collections.Immutable;
using System.Globalization;
using System.Xml.Linq;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Drawing;

/// <summary>
/// Draws what policies open: the matrix of flows, and the graph of where information can come. A domain's colour is its
/// tenant's. Each cell and each arrow tells its terms to who rests the pointer on it.
/// </summary>
public static class PolicyPicture
{
    /// <summary>More domains are drawn as cells without words; what they say is told at the cell.</summary>
    private const int MostWorded = 12;

    private const double Margin = 24, Letter = 6.6, Line = 14;

    // Dark enough for white and for black letters beside them; apart also for eyes that do not tell red from green
    // (Okabe and Ito).
    private static readonly string[] Colours =
        ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b"];

    /// <summary>Draws a datacentre.</summary>
    /// <returns>An SVG document.</returns>
    public static string Of(CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        var matrix = FlowMatrix.Of(datacentre);
        var domains = datacentre.Domains.Values
            .OrderBy(FlowMatrix.Display, StringComparer.Ordinal).ToImmutableArray();
        var colours = domains.Select(domain => domain.Ref.Tenant).Distinct()
            .Select((tenant, i) => (tenant, colour: Colours[i % Colours.Length]))
            .ToDictionary(pair => pair.tenant, pair => pair.colour);
        var (grid, width, height) = Matrix(domains, matrix, colours);
        var (graph, graphWidth, graphHeight) = Graph(domains, InformationFlow.Of(matrix), colours);
        var below = height + Margin;
        var picture = Svg.Picture(
            Math.Max(width, graphWidth), below + graphHeight,
            $"Flows between {domains.Length} domains, and where their information can come",
            Svg.Arrow("arrow", "#404040"), grid,
            new XElement(Svg.Space + "g", new XAttribute("transform", $"translate(0 {Svg.Number(below)})"), graph));
        return picture.ToString() + "\n";
    }

    private static (IEnumerable<XElement> Content, double Width, double Height) Matrix(
        ImmutableArray<DomainModel> domains, FlowMatrix matrix, Dictionary<PartyId, string> colours)
    {
        var cells = matrix.Open.GroupBy(flow => (flow.From, flow.To)).ToDictionary(
            group => group.Key, group => group.Select(flow => flow.What).Distinct().ToArray());
        var isWorded = domains.Length <= MostWorded;
        var names = domains.Select(FlowMatrix.Display).ToArray();
        var left = Margin + (Letter * names.Select(name => name.Length).DefaultIfEmpty(0).Max()) + 10;
        var cell = isWorded
            ? Math.Max(70, 12 + (Letter * cells.Values.SelectMany(words => words).Concat(names)
                .Select(text => text.Length).DefaultIfEmpty(0).Max()))
            : 14;
        var row = isWorded
            ? Math.Max(28, 10 + (Line * cells.Values.Select(words => words.Length).DefaultIfEmpty(1).Max())) : 14;
        var top = Margin + 40 + (isWorded ? Line : 0);
        List<XElement> content =
        [
            Svg.Text(Margin, Margin + 4, "Flows: what the row's domain grants and the column's accepts", 15),
        ];
        for (var i = 0; i < domains.Length; i++)
        {
            content.Add(Svg.Text(
                left - 8, top + (i * row) + (row / 2) + 4, names[i], 12, colours[domains[i].Ref.Tenant], "end"));
            if (isWorded)
            {
                content.Add(Svg.Text(
                    left + (i * cell) + (cell / 2), top - 8, names[i], 12, colours[domains[i].Ref.Tenant], "middle"));
            }

            for (var j = 0; j < domains.Length; j++)
            {
                content.Add(Cell(
                    (left + (j * cell), top + (i * row), cell - 2, row - 2), names[i], names[j],
                    i == j ? ["everything, inside the domain"]
                        : cells.GetValueOrDefault((domains[i].Ref, domains[j].Ref), []),
                    i == j, isWorded, colours[domains[i].Ref.Tenant]));
            }
        }

        return (content, left + (domains.Length * cell) + Margin, top + (domains.Length * row) + Margin);
    }

    private static XElement Cell(
        (double X, double Y, double Width, double Height) place, string from, string to, string[] words, bool isOwn,
        bool isWorded, string colour)
    {
        var fill = isOwn ? "#d9d9d9" : words.Length > 0 ? colour : "#f2f2f2";
        var told = words.Length == 0 ? $"{from} to {to}: nothing" : $"{from} to {to}: {string.Join(", ", words)}";
        var lines = isWorded && !isOwn ? words : [];
        var first = place.Y + (place.Height / 2) + 4 - (Line * (lines.Length - 1) / 2);
        return Svg.Told(
            told, Svg.Rectangle(place.X, place.Y, place.Width, place.Height, fill),
            lines.Select((word, i) => Svg.Text(
                place.X + (place.Width / 2), first + (i * Line), word, 11, "#ffffff", "middle")).ToArray());
    }

    private static (IEnumerable<XElement> Content, double Width, double Height) Graph(
        ImmutableArray<DomainModel> domains, InformationFlow flow, Dictionary<PartyId, string> colours)
    {
        var names = domains.Select(FlowMatrix.Display).ToArray();
        var radius = Math.Max(110, domains.Length * 22 / (2 * Math.PI));
        var side = (Letter * names.Select(name => name.Length).DefaultIfEmpty(0).Max()) + 20 + Margin;
        var (x, y) = (side + radius, Margin + 40 + radius);
        var places = new Dictionary<DomainRef, (double X, double Y)>();
        List<XElement> nodes = [];
        for (var i = 0; i < domains.Length; i++)
        {
            var turn = 2 * Math.PI * i / Math.Max(1, domains.Length);
            var (cosine, sine) = (Math.Cos(turn), Math.Sin(turn));
            places[domains[i].Ref] = (x + (radius * cosine), y + (radius * sine));
            var colour = colours[domains[i].Ref.Tenant];
            nodes.Add(Svg.Circle(x + (radius * cosine), y + (radius * sine), 7, colour));
            nodes.Add(Svg.Text(
                x + ((radius + 14) * cosine), y + ((radius + 14) * sine) + 4, names[i], 12, colour,
                cosine < -0.1 ? "end" : cosine > 0.1 ? "start" : "middle"));
        }

        var title = Svg.Text(Margin, Margin + 4, "Information: where what a domain knows can come next", 15);
        return (
            [title, .. flow.Edges.Select(edge => Arrow(edge, places, (x, y))), .. nodes, .. Legend(y + radius + 50)],
            2 * (side + radius), y + radius + 80);
    }

    /// <summary>Bent towards the middle, so that the two ways of a pair do not lie on each other.</summary>
    private static XElement Arrow(
        InformationEdge edge, Dictionary<DomainRef, (double X, double Y)> places, (double X, double Y) middle)
    {
        var (from, to) = (places[edge.From.Ref], places[edge.To.Ref]);
        var (dx, dy) = (to.X - from.X, to.Y - from.Y);
        var length = Math.Max(1, Math.Sqrt((dx * dx) + (dy * dy)));
        var bend = (
            X: (((from.X + to.X) / 2) * 0.8) + (middle.X * 0.2) - (10 * dy / length),
            Y: (((from.Y + to.Y) / 2) * 0.8) + (middle.Y * 0.2) + (10 * dx / length));
        var end = (X: to.X - (9 * dx / length), Y: to.Y - (9 * dy / length));
        var (dash, width) = Style(edge);
        return Svg.Told(
            edge.Sentence,
            Svg.Path(
                $"M{Svg.Number(from.X)} {Svg.Number(from.Y)}Q{Svg.Number(bend.X)} {Svg.Number(bend.Y)} "
                + $"{Svg.Number(end.X)} {Svg.Number(end.Y)}", "#404040", width, dash, "arrow"));
    }

    private static (string? Dash, double Width) Style(InformationEdge edge) => edge switch
    {
        InformationEdge.Network => (null, 1.2),
        InformationEdge.Volume => ("6 3", 1.2),
        InformationEdge.Device => ("2 3", 1.2),
        InformationEdge.Machine => (null, 3),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static IEnumerable<XElement> Legend(double y)
    {
        var x = Margin;
        foreach (var (words, dash, width) in new[]
        {
            ("network", (string?)null, 1.2), ("volume", "6 3", 1.2), ("device", "2 3", 1.2),
            ("shared machine", null, 3),
        })
        {
            yield return Svg.Path(
                string.Create(CultureInfo.InvariantCulture, $"M{x} {y}h30"), "#404040", width, dash, "arrow");
            yield return Svg.Text(x + 38, y + 4, words, 11);
            x += 50 + (Letter * words.Length);
        }
    }
}
