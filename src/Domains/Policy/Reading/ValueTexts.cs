using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Policy.Schemas;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>Texts with a form of their own. Each form is an allowlist: what is not in it is refused.</summary>
internal sealed partial class Value
{
    /// <summary>A list of demands on evidence (<see cref="PredicateJson"/>); empty when there is none.</summary>
    public ImmutableArray<Predicate> Predicates()
    {
        if (_drawn is not null)
        {
            var item = _drawn.Items(0, PredicateJson.MostPredicates);
            item.Need("kind").Words(PredicateJson.Kinds);
            item.AllowOthers();
        }

        if (_node is null)
        {
            return [];
        }

        ArrayBufferWriter<byte> json = new();
        using (Utf8JsonWriter writer = new(json))
        {
            _node.Write(writer);
        }

        PredicateReading reading = PredicateJson.Read(json.WrittenSpan);
        foreach (PredicateFinding finding in reading.Findings)
        {
            _findings.Add(FindingCode.BadPredicate, _line, _pointer + finding.Pointer, finding.Sentence);
        }

        return reading.Findings.IsEmpty ? reading.Predicates : [];
    }

    /// <summary>
    /// A file by the SHA-256 of its content; while the document is unsigned also by its name, and then the text is
    /// `file:NAME`.
    /// </summary>
    /// <param name="signed">Whether the document is signed.</param>
    /// <param name="beside">What else is said of the file.</param>
    public string FileOrDigest(bool signed, params string[] beside)
    {
        if (_drawn is not null)
        {
            Only([.. beside, "sha256", "file"]).May("file").FileName();
            return May("sha256").Sha256();
        }

        if (!signed && May("file").IsPresent)
        {
            return "file:" + Only([.. beside, "file"]).Need("file").FileName();
        }

        return signed
            ? Only([.. beside, "sha256"]).Need("sha256").Sha256()
            : Only([.. beside, "sha256", "file"]).Need("sha256").Sha256();
    }

    /// <summary>
    /// A duration in one unit: a number without leading zeros and <c>m</c> for minutes or <c>h</c> for hours.
    /// </summary>
    public TimeSpan Duration(TimeSpan min, TimeSpan max)
    {
        if (Formed(SchemaForms.Duration) is not { } text)
        {
            return min;
        }

        Match form = DurationForm().Match(text);
        if (!form.Success)
        {
            Fault(FindingCode.BadText, $"{Quoted.Of(text)} is not a duration such as 30m or 8h.");
            return min;
        }

        int count = int.Parse(form.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        TimeSpan duration = form.Groups[2].ValueSpan is "h" ? TimeSpan.FromHours(count) : TimeSpan.FromMinutes(count);
        if (duration >= min && duration <= max)
        {
            return duration;
        }

        Fault(
            FindingCode.OutOfRange,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{text} is not from {min.TotalMinutes}m to {max.TotalHours}h."));
        return min;
    }

    /// <summary>
    /// A name of a person or company: letters of any script, digits, spaces and <c>. , - ( ) / + :</c>.
    /// </summary>
    public string LegalName()
    {
        if (Text() is not { } text)
        {
            return "";
        }

        var plain = text.Length is > 0 and <= PolicyLimits.LegalNameLength
            && text.Trim() == text && text[0] != '-' && WellFormed(text) && text.IsNormalized()
            && text.All(c => char.IsLetter(c) || char.IsAsciiDigit(c)
                || " .,-()/+:".Contains(c, StringComparison.Ordinal));
        if (!plain)
        {
            Fault(
                FindingCode.BadText,
                $"{Quoted.Of(text)} is not a name of at most {PolicyLimits.LegalNameLength} letters, digits, spaces "
                + $"and "
                + ". , - ( ) / + : that starts with none of them but a letter or digit.");
        }

        return text;
    }

    /// <summary>Kernel arguments of an image, without those that refinement sets.</summary>
    public string KernelArguments()
    {
        if (Text() is not { } text)
        {
            return "";
        }

        if (text.Length > PolicyLimits.ArgumentsLength || !ArgumentsForm().IsMatch(text))
        {
            Fault(
                FindingCode.BadText,
                $"{Quoted.Of(text)} is not a kernel command line: at most {PolicyLimits.ArgumentsLength} characters, "
                + "words of A-Z a-z 0-9 = . , _ : / @ + - that do not start with a hyphen, one space between them.");
        }
        else if (text.Contains("bailiwick.", StringComparison.OrdinalIgnoreCase))
        {
            Fault(
                FindingCode.ReservedArgument,
                "Arguments that start with bailiwick. say which machine this is; only refinement sets them. Remove "
                + "it.");
        }

        return text;
    }

    /// <summary>
    /// The name of a file beside the policies: no directory, nothing that a shell or a path would obey.
    /// </summary>
    public string FileName()
    {
        if (Formed(SchemaForms.FileName) is not { } text)
        {
            return "";
        }

        if (text.Length > PolicyLimits.FileNameLength || !FileNameForm().IsMatch(text)
            || text.Contains("..", StringComparison.Ordinal))
        {
            Fault(
                FindingCode.BadFileName,
                $"{Quoted.Of(text)} is not a file name: a letter or digit, then letters, digits, dots, underscores and "
                + "hyphens, without two dots in a row.");
        }

        return text;
    }

    /// <summary>A SHA-256 digest in hex.</summary>
    public string Sha256()
    {
        var text = Formed(SchemaForms.Sha256);
        if (text is not null && !Digest32.TryParse(text, out _))
        {
            Fault(FindingCode.BadDigest, $"{Quoted.Of(text)} is not 64 lower-case hexadecimal digits (SHA-256).");
        }

        return text ?? "";
    }

    /// <summary>A country: ISO 3166-1 alpha-2.</summary>
    public string Country()
    {
        var text = Formed(SchemaForms.Country);
        if (text is not null && !(text.Length == 2 && text.All(char.IsAsciiLetterUpper)))
        {
            Fault(FindingCode.BadCountry, $"{Quoted.Of(text)} is not a country's two upper-case letters, such as CH.");
        }

        return text ?? "";
    }

    /// <summary>A moment in UTC: RFC 3339 in its one form without fractions.</summary>
    public DateTimeOffset Moment()
    {
        if (Formed(SchemaForms.Moment) is not { } text)
        {
            return default;
        }

        if (text.Length == 20 && DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
                out var moment))
        {
            return moment;
        }

        Fault(FindingCode.BadDate, $"{Quoted.Of(text)} is not a moment such as 2036-01-01T00:00:00Z.");
        return default;
    }

    /// <summary>
    /// A unicast address of one family in its canonical text (RFC 5952 for IPv6); null after a finding.
    /// </summary>
    public IPAddress? Address(AddressFamily family)
    {
        if (Formed(family == AddressFamily.InterNetwork ? SchemaForms.Ipv4 : SchemaForms.Ipv6) is not { } text)
        {
            return null;
        }

        if (Addresses.Parse(text) is { } address && address.AddressFamily == family && Addresses.IsUnicast(address))
        {
            return address;
        }

        var wanted = family == AddressFamily.InterNetwork
            ? "IPv4 address such as 10.20.1.11" : "IPv6 address such as fd20:1::11";
        Fault(FindingCode.BadAddress, $"{Quoted.Of(text)} is not a unicast {wanted}, written in the shortest way.");
        return null;
    }

    /// <summary>A prefix; null after a finding.</summary>
    public IPNetwork? Prefix()
    {
        if (Formed(SchemaForms.Prefix) is not { } text)
        {
            return null;
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash > 0 ? Addresses.Parse(text[..slash]) : null;
        var form = slash > 0 ? text[(slash + 1)..] : "";
        if (address is null || !PrefixLengthForm().IsMatch(form) || !Addresses.IsUnicast(address))
        {
            Fault(FindingCode.BadPrefix, $"{Quoted.Of(text)} is not a prefix such as 10.20.1.0/24 or fd20:1::/64.");
            return null;
        }

        var length = int.Parse(form, NumberStyles.None, CultureInfo.InvariantCulture);
        var (min, max) = address.AddressFamily == AddressFamily.InterNetwork ? (8, 30) : (32, 126);
        if (length < min || length > max)
        {
            Fault(FindingCode.BadPrefix, $"The prefix length {length} is not from {min} to {max}.");
            return null;
        }

        var network = Addresses.Masked(address, length);
        if (!network.Equals(address))
        {
            Fault(
                FindingCode.HostBitsSet,
                $"{Quoted.Of(text)} has bits beyond its length; the prefix would be {network}/{length}.");
            return null;
        }

        return new IPNetwork(address, length);
    }

    /// <summary>One port, or a range such as <c>8000-8010</c>; null after a finding.</summary>
    public PortRange? Ports()
    {
        _drawn?.Pattern(SchemaForms.Ports);
        _drawn?.Integer(1, 65535);
        if (TextOrInteger() is not { } text)
        {
            return null;
        }

        var ends = text.Split('-');
        if (ends.Length is 1 or 2 && ends.All(end => PortForm().IsMatch(end)))
        {
            var first = int.Parse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture);
            var last = int.Parse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture);
            if (first <= last && last <= 65535)
            {
                return new PortRange(first, last);
            }
        }

        Fault(FindingCode.BadPort, $"{Quoted.Of(text)} is not a port from 1 to 65535 or a range such as 8000-8010.");
        return null;
    }

    /// <summary>An IPv4 address or IPv6 address in brackets, a colon and a port.</summary>
    public void Endpoint()
    {
        if (Text() is not { } text)
        {
            return;
        }

        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon] : "";
        var bracketed = host.StartsWith('[') && host.EndsWith(']');
        var address = Addresses.Parse(bracketed ? host[1..^1] : host);
        var fits = address is not null && bracketed == (address.AddressFamily == AddressFamily.InterNetworkV6);
        if (!fits || !PortForm().IsMatch(text[(colon + 1)..])
            || int.Parse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture) > 65535)
        {
            Fault(FindingCode.BadEndpoint, $"{Quoted.Of(text)} is not an address and a port such as 10.99.0.3:7600.");
        }
    }

    /// <summary>The name of a log: the first line of its checkpoints (C2SP tlog-checkpoint).</summary>
    public void LogOrigin()
    {
        if (Text() is { } text && (text.Length > PolicyLimits.LegalNameLength || !LogOriginForm().IsMatch(text)))
        {
            Fault(
                FindingCode.BadText,
                $"{Quoted.Of(text)} is not a log's origin: letters, digits, dots, slashes, colons, underscores and "
                + $"hyphens.");
        }
    }

    private static bool WellFormed(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
            {
                return false;
            }
        }

        return true;
    }

    [GeneratedRegex(
        @"\A([A-Za-z0-9=.,_:/@+][A-Za-z0-9=.,_:/@+-]*( [A-Za-z0-9=.,_:/@+][A-Za-z0-9=.,_:/@+-]*)*)?\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex ArgumentsForm();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileNameForm();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._/:-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex LogOriginForm();

    [GeneratedRegex(@"\A([1-9][0-9]{0,4})([mh])\z", RegexOptions.CultureInvariant)]
    private static partial Regex DurationForm();

    [GeneratedRegex(@"\A(0|[1-9][0-9]{0,2})\z", RegexOptions.CultureInvariant)]
    private static partial Regex PrefixLengthForm();

    [GeneratedRegex(@"\A[1-9][0-9]{0,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex PortForm();
}
