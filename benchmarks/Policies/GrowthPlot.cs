using System.Globalization;
using System.Text;
using static System.FormattableString;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>Time against size, both by decades, with the slope of the straight line that fits best.</summary>
/// <param name="points">Sizes and seconds, at least two.</param>
public sealed class GrowthPlot(IReadOnlyList<(double Size, double Seconds)> points)
{
    private const int Width = 640;
    private const int Height = 400;
    private const int Margin = 60;

    /// <summary>The exponent of the power of the size by which the time grows: least squares of the logarithms.
    /// </summary>
    public double Slope => Fit().Slope;

    /// <summary>Writes <c>benchmarks/results/policy-growth.svg</c> in the checkout; a sentence on it.</summary>
    public string Write()
    {
        var path = Path.Combine(Checkout.Root, "benchmarks", "results", "policy-growth.svg");
        File.WriteAllText(path, Svg());
        return string.Create(
            CultureInfo.InvariantCulture, $"time grows with the size to the power of {Slope:0.00}: {path}");
    }

    /// <summary>The drawing.</summary>
    public string Svg()
    {
        var (slope, offset) = Fit();
        var (left, right) = (Math.Floor(X(points.Min(one => one.Size))), Math.Ceiling(X(points.Max(one => one.Size))));
        var (low, high) = (
            Math.Floor(X(points.Min(one => one.Seconds))), Math.Ceiling(X(points.Max(one => one.Seconds))));
        double Across(double log) => Margin + ((log - left) / Math.Max(1, right - left) * (Width - (2 * Margin)));
        double Up(double log) => Height - Margin - ((log - low) / Math.Max(1, high - low) * (Height - (2 * Margin)));
        var svg = new StringBuilder();
        void Line(string text) => svg.Append(text).Append('\n');
        Line(Invariant(
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-size=\"12\">"));
        Line(Invariant($"<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>"));
        for (var decade = left; decade <= right; decade++)
        {
            Line(Invariant($"<path d=\"M{Across(decade):0.#} {Up(low):0.#}V{Up(high):0.#}\" stroke=\"#ddd\"/>"));
            Line(Invariant(
                $"<text x=\"{Across(decade):0.#}\" y=\"{Height - 40}\" text-anchor=\"middle\">1e{decade}</text>"));
        }

        for (var decade = low; decade <= high; decade++)
        {
            Line(Invariant($"<path d=\"M{Across(left):0.#} {Up(decade):0.#}H{Across(right):0.#}\" stroke=\"#ddd\"/>"));
            Line(Invariant(
                $"<text x=\"{Margin - 6}\" y=\"{Up(decade) + 4:0.#}\" text-anchor=\"end\">1e{decade} s</text>"));
        }

        var (first, last) = (X(points.Min(one => one.Size)), X(points.Max(one => one.Size)));
        Line(Invariant($"<path d=\"M{Across(first):0.#} {Up(offset + (slope * first)):0.#}")
            + Invariant($"L{Across(last):0.#} {Up(offset + (slope * last)):0.#}\" ")
            + "stroke=\"#36c\" stroke-dasharray=\"4\"/>");
        foreach (var (size, seconds) in points)
        {
            Line(Invariant($"<circle cx=\"{Across(X(size)):0.#}\" cy=\"{Up(X(seconds)):0.#}\" r=\"4\" fill=\"#36c\">")
                + Invariant($"<title>{size:0}: {seconds:0.000} s</title></circle>"));
        }

        Line(Invariant($"<text x=\"{Width / 2}\" y=\"{Height - 16}\" text-anchor=\"middle\">machines</text>"));
        Line(Invariant(
            $"<text x=\"{Width / 2}\" y=\"24\" text-anchor=\"middle\">all hosts' plans: slope {slope:0.00}</text>"));
        Line("</svg>");
        return svg.ToString();
    }

    private static double X(double value) => Math.Log10(value);

    private (double Slope, double Offset) Fit()
    {
        var (x, y) = (points.Average(one => X(one.Size)), points.Average(one => X(one.Seconds)));
        var slope = points.Sum(one => (X(one.Size) - x) * (X(one.Seconds) - y))
            / points.Sum(one => Math.Pow(X(one.Size) - x, 2));
        return (slope, y - (slope * x));
    }
}
