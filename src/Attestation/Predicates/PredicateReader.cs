using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Attestation.BootLog;

namespace Bailiwick.Attestation.Predicates;

/// <summary>Reads one predicate, and notes everything that is wrong with it.</summary>
internal sealed class PredicateReader(
    JsonElement value, string pointer, ImmutableArray<PredicateFinding>.Builder findings)
{
    private const int LongestText = 4096;
    private const int MostSigners = 8;
    private readonly int _before = findings.Count;
    private readonly HashSet<string> _read = ["kind"];

    /// <summary>The predicate; null when there is a finding.</summary>
    internal Predicate? Read()
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            Note("", "A predicate is an object with a kind.");
            return null;
        }

        string kind = Text("kind") ?? "";
        Predicate? predicate = kind.Length > 0 ? Of(kind) : null;
        if (predicate is null && findings.Count == _before)
        {
            Note("/kind", $"There is no predicate '{kind}'.");
            return null;
        }

        foreach (JsonProperty member in value.EnumerateObject().Where(m => !_read.Contains(m.Name)))
        {
            Note("/" + Escaped(member.Name), $"A predicate of the kind '{kind}' has no member '{member.Name}'.");
        }

        return findings.Count == _before ? predicate : null;
    }

    private Predicate? Of(string kind) => kind switch
    {
        "crypto-agile" => new Predicate.CryptoAgile(),
        "exit-boot-services" => new Predicate.ExitBootServices(),
        "no-violations" => new Predicate.NoViolations(),
        "secure-boot" => new Predicate.SecureBoot(OneOf("state", "on", "off") == "on"),
        "secure-boot-keys" => Keys(),
        "firmware-version" => new Predicate.FirmwareVersion(Texts("versions", required: true)),
        "boot-applications" => Set("digests") is { } set ? new Predicate.BootApplications(set) : null,
        "kernel" => Set("digests") is { } set ? new Predicate.Kernel(set) : null,
        "initrd" => Set("digests") is { } set ? new Predicate.Initrd(set) : null,
        "boot-files" => Set("digests") is { } set ? new Predicate.BootFiles(set) : null,
        "command-line" => new Predicate.CommandLine(Texts("lines", required: true)),
        "command-line-words" => Words(),
        "pcr" => (Pcr(), Set("values")) is ({ } pcr, { } set) ? new Predicate.Pcr(pcr, set) : null,
        "boot-events" => (Pcr(), Set("digests")) is ({ } pcr, { } set) ? new Predicate.BootEvents(pcr, set) : null,
        "runtime-files" => Files(),
        "program" => (Text("path"), Set("digests")) is ({ } path, { } set) ? new Predicate.Program(path, set) : null,
        _ => null,
    };

    private Predicate.SecureBootKeys? Keys()
    {
        KeyDatabase? database = OneOf("database", "PK", "KEK", "db", "dbx") switch
        {
            "PK" => KeyDatabase.PlatformKey,
            "KEK" => KeyDatabase.KeyExchangeKeys,
            "db" => KeyDatabase.Allowed,
            "dbx" => KeyDatabase.Forbidden,
            _ => null,
        };
        ImmutableArray<Guid>? owners = Has("owners") ? Owners() : null;
        ReferenceSet? fingerprints = Has("fingerprints") ? Set("fingerprints") : null;
        if (!Has("owners") && !Has("fingerprints"))
        {
            Note("", "Owners, fingerprints or both must be given; without them any key is accepted.");
        }

        return database is { } one ? new Predicate.SecureBootKeys(one, owners, fingerprints) : null;
    }

    private ImmutableArray<Guid> Owners()
    {
        var owners = ImmutableArray.CreateBuilder<Guid>();
        foreach (string text in Texts("owners", required: true))
        {
            if (Guid.TryParseExact(text, "D", out Guid owner) && owner.ToString() == text)
            {
                owners.Add(owner);
            }
            else
            {
                Note("/owners", $"'{text}' is no GUID in lower-case digits.");
            }
        }

        return owners.ToImmutable();
    }

    private Predicate.CommandLineWords Words()
    {
        ImmutableArray<string> required = Texts("required", required: false), forbidden = Texts("forbidden", false);
        if (required.IsEmpty && forbidden.IsEmpty)
        {
            Note("", "At least one required or forbidden word must be given.");
        }

        if (required.Concat(forbidden).Any(w => w.Length == 0 || w.Contains('"', StringComparison.Ordinal)))
        {
            Note("", "A word is not empty and has no quotation mark.");
        }

        return new Predicate.CommandLineWords(required, forbidden);
    }

    private Predicate.RuntimeFiles Files()
    {
        string? path = Has("path") ? Text("path") : null;
        ReferenceSet? digests = Has("digests") ? Set("digests") : null;
        var signers = ImmutableArray.CreateBuilder<RuntimeSigner>();
        foreach (string text in Texts("signers", required: false))
        {
            if (signers.Count < MostSigners && RuntimeSigner.TryParse(text, out RuntimeSigner? signer))
            {
                signers.Add(signer);
            }
            else
            {
                Note("/signers", $"A signer is no public key (SubjectPublicKeyInfo in base64, RSA from 2,048 bits or "
                    + $"an elliptic curve), or there are more than {MostSigners}.");
            }
        }

        if (!Has("digests") && signers.Count == 0)
        {
            Note("", "Digests, signers or both must be given.");
        }

        return new Predicate.RuntimeFiles(path, digests, signers.ToImmutable());
    }

    private ReferenceSet? Set(string name)
    {
        if (!value.TryGetProperty(name, out JsonElement set) || set.ValueKind != JsonValueKind.Object)
        {
            _read.Add(name);
            Note($"/{name}", "A set of digests with 'current', and 'next' and 'phase' during an update, is expected.");
            return null;
        }

        _read.Add(name);
        int before = findings.Count;
        var members = new PredicateReader(set, $"{pointer}/{name}", findings);
        ImmutableArray<string> current = members.Digests("current", required: true);
        ImmutableArray<string>? next = members.Has("next") ? members.Digests("next", required: true) : null;
        UpdatePhase? phase = members.Has("phase") ? members.Phase() : UpdatePhase.Old;
        string[] strangers =
            [.. set.EnumerateObject().Select(m => m.Name).Where(n => n is not ("current" or "next" or "phase"))];
        foreach (string stranger in strangers)
        {
            Note($"/{name}/{Escaped(stranger)}", $"A set of digests has no member '{stranger}'.");
        }

        if (phase is UpdatePhase.Both or UpdatePhase.New && next is null)
        {
            Note($"/{name}/phase", "This phase needs the digests that come next.");
        }

        return findings.Count == before && phase is { } one ? ReferenceSet.Of(current, next, one) : null;
    }

    private UpdatePhase? Phase() => OneOf("phase", "old", "both", "new") switch
    {
        "old" => UpdatePhase.Old,
        "both" => UpdatePhase.Both,
        "new" => UpdatePhase.New,
        _ => null,
    };

    private ImmutableArray<string> Digests(string name, bool required)
    {
        ImmutableArray<string> texts = Texts(name, required);
        foreach (string text in texts.Where(t => !ReferenceSet.IsDigest(t)).Take(1))
        {
            Note($"/{name}", $"'{text}' is no digest of 20, 32, 48 or 64 bytes in lower-case hexadecimal digits.");
        }

        return texts;
    }

    private bool Has(string name) => value.TryGetProperty(name, out _);

    private string? Text(string name)
    {
        _read.Add(name);
        if (value.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.String
            && member.GetString() is { Length: > 0 and <= LongestText } text)
        {
            return text;
        }

        Note($"/{name}", $"A text of at most {LongestText} characters is expected.");
        return null;
    }

    private string? OneOf(string name, params ReadOnlySpan<string> texts)
    {
        string? text = Text(name);
        if (text is null || texts.Contains(text))
        {
            return text;
        }

        Note($"/{name}", $"'{text}' is none of {string.Join(", ", texts.ToArray())}.");
        return null;
    }

    private int? Pcr()
    {
        _read.Add("pcr");
        if (value.TryGetProperty("pcr", out JsonElement member) && member.ValueKind == JsonValueKind.Number
            && member.TryGetInt32(out int pcr) && pcr is >= 0 and < BootLogLimits.Pcrs)
        {
            return pcr;
        }

        Note("/pcr", $"The number of a PCR is expected, 0 to {BootLogLimits.Pcrs - 1}.");
        return null;
    }

    private ImmutableArray<string> Texts(string name, bool required)
    {
        _read.Add(name);
        if (!value.TryGetProperty(name, out JsonElement list))
        {
            if (required)
            {
                Note($"/{name}", "A list of texts is expected.");
            }

            return [];
        }

        if (list.ValueKind != JsonValueKind.Array || (required && list.GetArrayLength() == 0)
            || list.EnumerateArray().Any(t => t.ValueKind != JsonValueKind.String))
        {
            Note($"/{name}", "A list of texts is expected, and not an empty one.");
            return [];
        }

        return [.. list.EnumerateArray().Select(t => t.GetString() ?? "")];
    }

    private static string Escaped(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private void Note(string where, string sentence) => findings.Add(new PredicateFinding(pointer + where, sentence));
}
