using System.CommandLine;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Cli.Verbs;

/// <summary>Whose a receipt must be, and how its file is read and written.</summary>
internal sealed class ReceiptOptions
{
    private readonly Option<string?> _keys = new("--keys")
    {
        Description = "the tenant's key directory, which knows the service",
    };

    private readonly Option<string?> _service = new("--service-key")
    {
        Description = "or the key service's public key, base64, as the tenant's root names it",
    };

    internal Command AddTo(Command command)
    {
        command.Add(_keys);
        command.Add(_service);
        return command;
    }

    /// <summary>The key service's key, by the tenant's own directory or as it is said.</summary>
    internal PublicKey ServiceKey(ParseResult parsed)
    {
        string? keys = parsed.GetValue(_keys), service = parsed.GetValue(_service);
        if (keys is null == service is null)
        {
            throw new CustodyException("Say whose receipt it is: --keys DIRECTORY, or --service-key BASE64.");
        }

        if (keys is null)
        {
            return PublicKey.TryParseBase64(service, out PublicKey? key)
                ? key : throw new CustodyException("--service-key is no P-256 SubjectPublicKeyInfo in base64.");
        }

        using PartyDirectory party = PartyDirectory.Open(keys, null);
        return party.Facts.KeyService ?? throw new CustodyException($"{keys} names no key service.");
    }

    internal static byte[] Read(string path)
    {
        FileInfo info = new(path);
        return info.Exists && info.Length <= ProvenReceipt.MostBytes
            ? File.ReadAllBytes(path)
            : throw new CustodyException($"There is no receipt {path} of at most {ProvenReceipt.MostBytes} bytes.");
    }

    /// <summary>Replaces the file as a whole: a receipt is not lost to a full disk.</summary>
    internal static async Task Write(string path, byte[] document, CancellationToken cancel)
    {
        string temporary = path + ".new";
        await File.WriteAllBytesAsync(temporary, document, cancel).ConfigureAwait(false);
        File.Move(temporary, path, overwrite: true);
    }
}
