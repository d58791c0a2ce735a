using System.Collections.Immutable;

namespace Bailiwick.Domains.Volumes;

/// <summary>The header of LUKS1 (On-Disk Format 1.2.3, figure 1): 592 bytes, big-endian, offsets in sectors.</summary>
internal static class Luks1
{
    private const ulong KeysFrom = 4096;
    private const int HeaderBytes = 592, FirstSlot = 208, SlotBytes = 48, SlotCount = 8;
    private const uint Enabled = 0x00ac71f3, Disabled = 0x0000dead;

    public static LuksHeader? Read(DiskReads file, LuksRefusals against)
    {
        ReadOnlySpan<byte> head = file.Head;
        if (head.Length < HeaderBytes)
        {
            against.Add(LuksRefusalCode.Truncated, $"The file has {head.Length} bytes and the header {HeaderBytes}.");
            return null;
        }

        string name = against.Field(head[8..40], "cipher"), mode = against.Field(head[40..72], "mode");
        ImmutableArray<LuksSlot>.Builder slots = ImmutableArray.CreateBuilder<LuksSlot>(SlotCount);
        for (int i = 0; i < SlotCount; i++)
        {
            slots.Add(Slot(head.Part(FirstSlot + (i * SlotBytes), SlotBytes), i, against));
        }

        return new LuksHeader(
            1, $"{name}-{mode}", against.Field(head[72..104], "hash"), head.Big32(108),
            against.Field(head[168..208], "UUID"),
            new LuksPayload((ulong)head.Big32(104) * DiskBytes.SectorBytes, DiskBytes.SectorBytes), slots.ToImmutable())
        {
            Digest = new LuksDigest([.. head[112..132]], [.. head[132..164]], head.Big32(164)),
            KeysFrom = KeysFrom,
        };
    }

    private static LuksSlot Slot(ReadOnlySpan<byte> slot, int number, LuksRefusals against)
    {
        uint state = slot.Big32(0);
        against.Unless(
            state is Enabled or Disabled, LuksRefusalCode.SlotState, $"Slot {number} is in the state {state:x}.");
        return new LuksSlot(
            number, state != Disabled, "pbkdf2", slot.Big32(4), slot.Big32(44),
            new LuksArea((ulong)slot.Big32(40) * DiskBytes.SectorBytes, LuksReader.SplitBytes));
    }
}
