using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.BootLog;

/// <summary>Writes crypto-agile logs with SHA-1 and SHA-256 digests, as firmware would, or as a liar would.</summary>
internal sealed class BootLogWriter
{
    internal static readonly Guid Global = new("8be4df61-93ca-11d2-aa0d-00e098032b8c");
    internal static readonly Guid ImageSecurity = new("d719b2cb-3d3a-4596-a3bc-dad00e67656f");
    private readonly ArrayBufferWriter<byte> _log = new();

    internal BootLogWriter(byte[]? declaration = null)
    {
        byte[] data = declaration ?? Declaration([(4, 20), (11, 32)]);
        UInt32(0);
        UInt32(3);
        _log.Write(new byte[20]);
        UInt32((uint)data.Length);
        _log.Write(data);
    }

    internal int Count { get; private set; } = 1;

    internal byte[] Bytes => _log.WrittenSpan.ToArray();

    internal static byte[] Declaration((int Algorithm, int Length)[] banks, string signature = "Spec ID Event03\0")
    {
        var data = new MemoryStream();
        data.Write(Encoding.ASCII.GetBytes(signature));
        data.Write([0, 0, 0, 0, 0, 2, 0, 2]);
        data.Write(BitConverter.GetBytes(banks.Length));
        foreach ((int algorithm, int length) in banks)
        {
            data.Write(BitConverter.GetBytes((ushort)algorithm));
            data.Write(BitConverter.GetBytes((ushort)length));
        }

        data.WriteByte(0);
        return data.ToArray();
    }

    /// <summary>An event whose digests are of other bytes than its data, if those are given.</summary>
    internal int Add(int pcr, BootEventType type, byte[] data, byte[]? measured = null)
    {
        UInt32((uint)pcr);
        UInt32((uint)type);
        UInt32(2);
        _log.Write(BitConverter.GetBytes((ushort)4));
        _log.Write(CryptographicOperations.HashData(HashAlgorithmName.SHA1, measured ?? data));
        _log.Write(BitConverter.GetBytes((ushort)11));
        _log.Write(SHA256.HashData(measured ?? data));
        UInt32((uint)data.Length);
        _log.Write(data);
        return Count++;
    }

    internal int Add(int pcr, BootEventType type, string data, string? measured = null) =>
        Add(pcr, type, Encoding.UTF8.GetBytes(data), measured is null ? null : Encoding.UTF8.GetBytes(measured));

    internal void Raw(ReadOnlySpan<byte> bytes) => _log.Write(bytes);

    internal static byte[] Variable(Guid vendor, string name, byte[] value)
    {
        byte[] data = new byte[32 + (2 * name.Length) + value.Length];
        vendor.TryWriteBytes(data);
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16), (ulong)name.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(24), (ulong)value.Length);
        Encoding.Unicode.GetBytes(name).CopyTo(data.AsSpan(32));
        value.CopyTo(data.AsSpan(32 + (2 * name.Length)));
        return data;
    }

    /// <summary>EFI_SIGNATURE_LIST with entries of one size.</summary>
    internal static byte[] Signatures(Guid kind, Guid owner, byte[][] entries, int header = 0)
    {
        var data = new MemoryStream();
        int each = 16 + entries[0].Length;
        data.Write(kind.ToByteArray());
        data.Write(BitConverter.GetBytes(28 + header + (each * entries.Length)));
        data.Write(BitConverter.GetBytes(header));
        data.Write(BitConverter.GetBytes(each));
        data.Write(new byte[header]);
        foreach (byte[] entry in entries)
        {
            data.Write(owner.ToByteArray());
            data.Write(entry);
        }

        return data.ToArray();
    }

    internal static MeasuredBoot Understood(byte[] log) =>
        Assert.IsType<BootLogReading.Understood>(MeasuredBoot.Read(log)).Log;

    /// <summary>The values that a TPM would quote after the events of a log.</summary>
    internal static QuotedPcrs Quote(byte[] log, TpmHash bank = TpmHash.Sha256)
    {
        BootReplay replay = BootReplay.Of(Understood(log), bank);
        return QuotedPcrs.Of(bank, Enumerable.Range(0, 24).Select(
            pcr => KeyValuePair.Create(pcr, (ReadOnlyMemory<byte>)replay.Value(pcr).ToArray())));
    }

    /// <summary>What a log proves to somebody who has a quote over the values it gives.</summary>
    internal static BootFacts Facts(byte[] log, TpmHash bank = TpmHash.Sha256, params string[] claims) => BootFacts.Of(
        Assert.IsType<BootExplanation.Explained>(
            BootExplanation.Judge(Understood(log), Quote(log, bank), new HashSet<int>())).Boot, claims);

    private void UInt32(uint value) => _log.Write(BitConverter.GetBytes(value));
}
