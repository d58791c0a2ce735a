using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Bailiwick.Benchmarks.Figures;

/// <summary>A limit on a ratio, and why it is the limit.</summary>
/// <param name="AtMost">The largest ratio that meets it.</param>
/// <param name="Because">The reason, one sentence.</param>
public sealed record Goal(double AtMost, string Because);

/// <summary>
/// One figure beside its peer, both measured in turns in the same run. The ratio is always our time over the peer's, so
/// 1 is as fast and 2 takes twice as long, whether the values are times or rates.
/// </summary>
/// <param name="Name">`bench.figure`.</param>
/// <param name="Value">Our median.</param>
/// <param name="Unit">`ms` or `1/s`.</param>
/// <param name="Peer">Whom we are compared with.</param>
/// <param name="PeerValue">The peer's median, in the same unit.</param>
/// <param name="Ratio">Our time over the peer's.</param>
/// <param name="Goal">The limit on the ratio.</param>
public sealed record Figure(
    string Name, double Value, string Unit, string Peer, double PeerValue, double Ratio, Goal Goal)
{
    private static readonly JsonWriterOptions Plain =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether the ratio is within the goal.</summary>
    public bool Met => Ratio <= Goal.AtMost;

    /// <summary>A figure of operations in a second, from the seconds that one takes.</summary>
    public static Figure Rate(string name, double seconds, string peer, double peerSeconds, Goal goal) =>
        new(name, 1 / seconds, "1/s", peer, 1 / peerSeconds, seconds / peerSeconds, goal);

    /// <summary>A figure of one duration in milliseconds.</summary>
    public static Figure Time(string name, double seconds, string peer, double peerSeconds, Goal goal) =>
        new(name, seconds * 1000, "ms", peer, peerSeconds * 1000, seconds / peerSeconds, goal);

    /// <summary>One JSON object: name, value, unit, peer, peerValue, ratio, goal, met.</summary>
    public string ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, Plain))
        {
            json.WriteStartObject();
            json.WriteString("name", Name);
            json.WriteNumber("value", Math.Round(Value, 1));
            json.WriteString("unit", Unit);
            json.WriteString("peer", Peer);
            json.WriteNumber("peerValue", Math.Round(PeerValue, 1));
            json.WriteNumber("ratio", Math.Round(Ratio, 3));
            json.WriteNumber("goal", Goal.AtMost);
            json.WriteBoolean("met", Met);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}: {Value:#,0.#} {Unit}, {Peer}: {PeerValue:#,0.#} {Unit}; "
        + $"{Ratio:0.00} times its time, goal {Goal.AtMost:0.##} {(Met ? "met" : "NOT met")} ({Goal.Because})");
}
