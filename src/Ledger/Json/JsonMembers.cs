using System.Text.Json;

namespace Bailiwick.Ledger.Json;

/// <summary>Reads members of an object that <see cref="CanonicalJson"/> has read, so none is there twice.</summary>
internal static class JsonMembers
{
    /// <summary>True if the value is an object that has all these members and no other.</summary>
    public static bool AreExactly(JsonElement value, params ReadOnlySpan<string> names)
    {
        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() != names.Length)
        {
            return false;
        }

        foreach (var name in names)
        {
            if (!value.TryGetProperty(name, out _))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The text of a member, or null if it is absent or not text.</summary>
    public static string? Text(JsonElement value, string name) =>
        value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            ? member.GetString()
            : null;

    /// <summary>The integer of a member, or null if it is absent or not an integer.</summary>
    public static long? Integer(JsonElement value, string name) =>
        value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Number
        && member.TryGetInt64(out var integer)
            ? integer
            : null;
}
