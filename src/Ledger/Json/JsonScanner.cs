using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Bailiwick.Ledger.Json;

/// <summary>
/// Checks that bytes are one JSON value (RFC 8259) within the limits and within what I-JSON (RFC 7493) leaves no doubt
/// about. It allocates only for the names of the members it meets, each of which the input has paid for in bytes.
/// </summary>
internal ref struct JsonScanner
{
    private readonly ReadOnlySpan<byte> _text;
    private readonly JsonLimits _limits;
    private int _at;
    private int _members;
    private JsonFault? _fault;

    private JsonScanner(ReadOnlySpan<byte> text, JsonLimits limits)
    {
        _text = text;
        _limits = limits;
    }

    /// <summary>The first fault of <paramref name="text"/>, or null if it has none.</summary>
    public static JsonFault? Check(ReadOnlySpan<byte> text, JsonLimits limits)
    {
        if (text.Length > limits.MaxBytes)
        {
            return new JsonFault(JsonFaultCode.TooLarge, limits.MaxBytes);
        }

        var scanner = new JsonScanner(text, limits);
        scanner.SkipSpace();
        if (!scanner.Value(0))
        {
            return scanner._fault;
        }

        scanner.SkipSpace();
        return scanner._at == text.Length ? null : new JsonFault(JsonFaultCode.TrailingBytes, scanner._at);
    }

    private bool Value(int depth) => Peek() switch
    {
        '{' => Container(depth + 1, isObject: true),
        '[' => Container(depth + 1, isObject: false),
        '"' => Text(out _, keep: false),
        't' => Literal("true"u8),
        'f' => Literal("false"u8),
        'n' => Literal("null"u8),
        '-' or (>= '0' and <= '9') => Number(),
        _ => Fail(JsonFaultCode.Malformed),
    };

    private bool Container(int depth, bool isObject)
    {
        if (depth > _limits.MaxDepth)
        {
            return Fail(JsonFaultCode.TooDeep);
        }

        var close = isObject ? '}' : ']';
        var names = isObject ? new HashSet<string>(StringComparer.Ordinal) : null;
        _at++;
        SkipSpace();
        if (Peek() == close)
        {
            _at++;
            return true;
        }

        while (true)
        {
            if (++_members > _limits.MaxMembers)
            {
                return Fail(JsonFaultCode.TooLarge);
            }

            if ((names is not null && !Name(names)) || !Value(depth))
            {
                return false;
            }

            SkipSpace();
            var next = Peek();
            if (next != ',' && next != close)
            {
                return Fail(JsonFaultCode.Malformed);
            }

            _at++;
            if (next == close)
            {
                return true;
            }

            SkipSpace();
        }
    }

    private bool Name(HashSet<string> names)
    {
        var start = _at;
        if (Peek() != '"')
        {
            return Fail(JsonFaultCode.Malformed);
        }

        if (!Text(out var name, keep: true))
        {
            return false;
        }

        if (!names.Add(name))
        {
            return Fail(JsonFaultCode.DuplicateMember, start);
        }

        SkipSpace();
        if (Peek() != ':')
        {
            return Fail(JsonFaultCode.Malformed);
        }

        _at++;
        SkipSpace();
        return true;
    }

    private bool Text(out string value, bool keep)
    {
        value = "";
        var start = ++_at;
        var escaped = false;
        while (Peek() != '"')
        {
            if (Peek() < 0x20)
            {
                return Fail(JsonFaultCode.Malformed);
            }

            if (Peek() != '\\')
            {
                _at++;
                continue;
            }

            escaped = true;
            if (!Escape())
            {
                return false;
            }
        }

        var raw = _text[start.._at];
        _at++;
        if (!Utf8.IsValid(raw))
        {
            return Fail(JsonFaultCode.InvalidText, start + FirstInvalid(raw));
        }

        value = !keep ? "" : escaped ? Unescape(raw) : Encoding.UTF8.GetString(raw);
        return true;
    }

    private bool Escape()
    {
        var start = _at;
        _at++;
        var kind = Peek();
        if (kind is '"' or '\\' or '/' or 'b' or 'f' or 'n' or 'r' or 't')
        {
            _at++;
            return true;
        }

        if (kind != 'u' || !Unit(out var unit))
        {
            return Fail(JsonFaultCode.Malformed, start);
        }

        if (char.IsLowSurrogate(unit))
        {
            return Fail(JsonFaultCode.InvalidText, start);
        }

        if (!char.IsHighSurrogate(unit))
        {
            return true;
        }

        if (Peek() != '\\' || _at + 1 >= _text.Length || _text[_at + 1] != 'u')
        {
            return Fail(JsonFaultCode.InvalidText, start);
        }

        _at++;
        return Unit(out var low)
            ? char.IsLowSurrogate(low) || Fail(JsonFaultCode.InvalidText, start)
            : Fail(JsonFaultCode.Malformed, start);
    }

    /// <summary>Reads `u` and four hexadecimal digits at the present place.</summary>
    private bool Unit(out char unit)
    {
        unit = default;
        if (_at + 5 > _text.Length || !TryHex(_text.Slice(_at + 1, 4), out unit))
        {
            return false;
        }

        _at += 5;
        return true;
    }

    private static bool TryHex(ReadOnlySpan<byte> digits, out char unit)
    {
        // NumberStyles.AllowHexSpecifier alone: no sign, no white space, no prefix.
        var read = ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value);
        unit = (char)value;
        return read;
    }

    private static string Unescape(ReadOnlySpan<byte> raw)
    {
        var source = Encoding.UTF8.GetString(raw);
        var result = new StringBuilder(source.Length);
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] != '\\')
            {
                result.Append(source[i]);
                continue;
            }

            i++;
            result.Append(source[i] switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => (char)ushort.Parse(
                    source.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                var same => same,
            });
            i += source[i] == 'u' ? 4 : 0;
        }

        return result.ToString();
    }

    private bool Number()
    {
        var start = _at;
        var negative = Peek() == '-';
        _at += negative ? 1 : 0;
        var digits = _at;
        if (Peek() == '0')
        {
            _at++;
        }
        else if (!Digits())
        {
            return Fail(JsonFaultCode.Malformed);
        }

        var integer = _text[digits.._at];
        if (!FractionAndExponent(out var whole))
        {
            return Fail(JsonFaultCode.Malformed);
        }

        if (Peek() is (>= '0' and <= '9') or '.' or '+' or '-' or (>= 'A' and <= 'Z') or (>= 'a' and <= 'z'))
        {
            return Fail(JsonFaultCode.Malformed);
        }

        var inRange = whole && integer.Length <= 16
            && long.TryParse(integer, NumberStyles.None, CultureInfo.InvariantCulture, out var magnitude)
            && magnitude <= LedgerLimits.JsonInteger && !(negative && magnitude == 0);
        return inRange || Fail(JsonFaultCode.NumberOutOfRange, start);
    }

    private bool FractionAndExponent(out bool whole)
    {
        whole = true;
        if (Peek() == '.')
        {
            whole = false;
            _at++;
            if (!Digits())
            {
                return false;
            }
        }

        if (Peek() is not ('e' or 'E'))
        {
            return true;
        }

        whole = false;
        _at++;
        _at += Peek() is '+' or '-' ? 1 : 0;
        return Digits();
    }

    private bool Digits()
    {
        var start = _at;
        while (Peek() is >= '0' and <= '9')
        {
            _at++;
        }

        return _at > start;
    }

    private bool Literal(ReadOnlySpan<byte> word)
    {
        if (!_text[_at..].StartsWith(word))
        {
            return Fail(JsonFaultCode.Malformed);
        }

        _at += word.Length;
        return true;
    }

    private void SkipSpace()
    {
        while (Peek() is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    /// <summary>The byte at the present place, or -1 at the end.</summary>
    private readonly int Peek() => _at < _text.Length ? _text[_at] : -1;

    private bool Fail(JsonFaultCode code) => Fail(code, _at);

    private bool Fail(JsonFaultCode code, int offset)
    {
        _fault ??= new JsonFault(code, offset);
        return false;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> raw)
    {
        var at = 0;
        while (at < raw.Length
            && Rune.DecodeFromUtf8(raw[at..], out _, out var used) == System.Buffers.OperationStatus.Done)
        {
            at += used;
        }

        return at;
    }
}
