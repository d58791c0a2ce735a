using System.Globalization;
using System.Xml.Linq;

namespace Bailiwick.Domains.Drawing;

/// <summary>Pieces of SVG 1.1. Text is text: names cannot become markup.</summary>
internal static class Svg
{
    public static readonly XNamespace Space = "http://www.w3.org/2000/svg";

    private const string Font = "system-ui, sans-serif";

    /// <summary>A picture with a title for who cannot see it.</summary>
    public static XElement Picture(double width, double height, string title, params object[] content) => new(
        Space + "svg", new XAttribute("viewBox", $"0 0 {Number(width)} {Number(height)}"),
        new XAttribute("width", Number(width)), new XAttribute("height", Number(height)), new XAttribute("role", "img"),
        new XAttribute("font-family", Font), new XElement(Space + "title", title),
        Rectangle(0, 0, width, height, "#ffffff"), content);

    public static XElement Rectangle(double x, double y, double width, double height, string fill) => new(
        Space + "rect", At(x, y), new XAttribute("width", Number(width)), new XAttribute("height", Number(height)),
        new XAttribute("fill", fill));

    /// <param name="x">From the left.</param>
    /// <param name="y">The baseline, from the top.</param>
    /// <param name="text">The text.</param>
    /// <param name="size">Height of the letters.</param>
    /// <param name="fill">Colour.</param>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    public static XElement Text(
        double x, double y, string text, double size = 12, string fill = "#1a1a1a", string anchor = "start") => new(
            Space + "text", At(x, y), new XAttribute("font-size", Number(size)), new XAttribute("fill", fill),
            new XAttribute("text-anchor", anchor), text);

    /// <summary>What a reader sees who rests the pointer on it.</summary>
    public static XElement Told(string words, params object[] content) =>
        new(Space + "g", new XElement(Space + "title", words), content);

    public static XElement Path(string d, string stroke, double width, string? dash, string? marker) => new(
        Space + "path", new XAttribute("d", d), new XAttribute("fill", "none"), new XAttribute("stroke", stroke),
        new XAttribute("stroke-width", Number(width)),
        dash is null ? null : new XAttribute("stroke-dasharray", dash),
        marker is null ? null : new XAttribute("marker-end", $"url(#{marker})"));

    public static XElement Circle(double x, double y, double radius, string fill) => new(
        Space + "circle", new XAttribute("cx", Number(x)), new XAttribute("cy", Number(y)),
        new XAttribute("r", Number(radius)), new XAttribute("fill", fill));

    /// <summary>An arrow's head, by its name.</summary>
    public static XElement Arrow(string name, string fill) => new(
        Space + "defs", new XElement(
            Space + "marker", new XAttribute("id", name), new XAttribute("viewBox", "0 0 8 8"),
            new XAttribute("refX", "8"), new XAttribute("refY", "4"), new XAttribute("markerUnits", "userSpaceOnUse"),
            new XAttribute("markerWidth", "9"), new XAttribute("markerHeight", "9"), new XAttribute("orient", "auto"),
            new XElement(Space + "path", new XAttribute("d", "M0 0 8 4 0 8z"), new XAttribute("fill", fill))));

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static XAttribute[] At(double x, double y) =>
        [new XAttribute("x", Number(x)), new XAttribute("y", Number(y))];
}
