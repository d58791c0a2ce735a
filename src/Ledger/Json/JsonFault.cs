namespace Bailiwick.Ledger.Json;

/// <summary>Why a JSON document was not read. Closed.</summary>
public enum JsonFaultCode
{
    /// <summary>It does not follow the grammar of RFC 8259, or starts with a byte order mark.</summary>
    Malformed = 1,

    /// <summary>Arrays and objects nest deeper than the limit.</summary>
    TooDeep,

    /// <summary>It has more bytes or more members than the limit.</summary>
    TooLarge,

    /// <summary>An object has two members of one name.</summary>
    DuplicateMember,

    /// <summary>Something other than white space follows the value.</summary>
    TrailingBytes,

    /// <summary>It is JSON, but not in the canonical form of RFC 8785.</summary>
    NotCanonical,

    /// <summary>A number is not an integer within 2^53 - 1 of zero.</summary>
    NumberOutOfRange,

    /// <summary>A string is not well-formed Unicode: invalid UTF-8 or half a surrogate pair.</summary>
    InvalidText,
}

/// <summary>Why and where reading a JSON document failed.</summary>
/// <param name="Code">The reason.</param>
/// <param name="Offset">The offset of the first byte that is wrong, counted from zero.</param>
public sealed record JsonFault(JsonFaultCode Code, int Offset)
{
    /// <summary>The fault as a clause that fits into a sentence.</summary>
    public string Clause => $"{Words} at byte {Offset}";

    private string Words => Code switch
    {
        JsonFaultCode.Malformed => "not JSON",
        JsonFaultCode.TooDeep => "nested too deeply",
        JsonFaultCode.TooLarge => "too many bytes or members",
        JsonFaultCode.DuplicateMember => "a member name is used twice",
        JsonFaultCode.TrailingBytes => "bytes follow the value",
        JsonFaultCode.NotCanonical => "not in canonical form (RFC 8785)",
        JsonFaultCode.NumberOutOfRange => "a number is not an integer within 2^53 - 1 of zero",
        JsonFaultCode.InvalidText => "text is not well-formed Unicode",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
