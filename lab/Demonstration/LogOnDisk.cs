using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Durable.Files;
using Bailiwick.Lab.Hosts;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Pcrs;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// A host's integrity log as root finds it on the host's disk while the Proxy is away. Root can read all of it, and can
/// write only what the TPM takes as well.
/// </summary>
internal sealed class LogOnDisk
{
    private const string FileName = "integrity.log";
    private readonly List<IntegrityOpening> _entries = [];

    /// <summary>Reads the log; where the TPM was reset since, a boot of its own is begun, as the Proxy does.</summary>
    internal LogOnDisk(string proxyDirectory, TpmConnection tpm)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, proxyDirectory);
        using AppendLog log = AppendLog.Open(directory, FileName, record => _entries.Add(Read(record.Payload.Span)));
        IntegrityRegister register = IntegrityRegister.Open(tpm, EvidenceRegisters.IntegrityLog);
        if (Digest32.FromBytes(register.Read().Span) == IntegrityHead.Zero)
        {
            IntegrityOpening boot = Begin(log);
            _entries.Add(boot);
            register.Extend(boot.Commitment().Bytes);
        }

        First = _entries.FindLastIndex(opening => opening.Entry.Kind == IntegrityKind.Boot);
        Boot = Guid.Parse(_entries[First].Entry.Subject);
        Head = _entries[First..].Aggregate(
            new IntegrityHead(First, IntegrityHead.Zero), (head, opening) => head.Extend(opening.Commitment()));
    }

    internal Guid Boot { get; }

    internal IntegrityHead Head { get; }

    private int First { get; }

    /// <summary>What an honest host shows a tenant for the first time.</summary>
    internal byte[] Shown(PartyId tenant) => new IntegrityTail(
        null, _entries[First..].SelectMany(opening => opening.Commitment().Bytes.ToArray()).ToArray(),
        [.. _entries[First..].Where(opening => opening.Entry.Readers.Include(tenant))]).Write();

    private IntegrityOpening Begin(AppendLog log)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(IntegrityOpening.SaltBytes);
        IntegrityDetail detail = new(salt, "");
        string id = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        IntegrityOpening boot = new(
            RandomNumberGenerator.GetBytes(IntegrityOpening.SaltBytes),
            new IntegrityEntry(
                _entries.Count, IntegrityKind.Boot, IntegrityReaders.Everyone, id, detail.Digest()));
        JsonObject header = new()
        {
            ["detailSalt"] = Convert.ToBase64String(salt),
            ["entry"] = JsonNode.Parse(boot.Entry.Write()),
            ["salt"] = Convert.ToBase64String(boot.Salt.Span),
        };
        log.Append((byte[])[.. CanonicalJson.Write(JsonSerializer.SerializeToElement(header)), (byte)'\n']);
        return boot;
    }

    private static IntegrityOpening Read(ReadOnlySpan<byte> payload)
    {
        JsonElement header = JsonElement.Parse(payload[..payload.IndexOf((byte)'\n')]);
        JsonObject opening = new()
        {
            ["entry"] = JsonNode.Parse(header.GetProperty("entry").GetRawText()),
            ["salt"] = header.GetProperty("salt").GetString(),
        };
        return IntegrityOpening.Read(JsonSerializer.SerializeToElement(opening))
            ?? throw new LabException("the integrity log on the disk is none", FileName, "lab down, then demo");
    }
}
