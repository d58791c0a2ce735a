using System.Buffers;
using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Elements of a list as rows of a table: a column for each field that they ask, in the order of fields, and the rows
/// sorted, so that a diagram is made of them from its first field to its last.
/// </summary>
internal sealed class ElementRows
{
    private readonly int[] _columns;
    private readonly bool _hasTwice;
    private readonly ValueRange[] _row;
    private ValueRange[] _cells = [];
    private int _used;
    private int[] _order = [];

    /// <summary>Whether some element has more than one value of a field: no others can overlap.</summary>
    private bool _hasRanges;

    /// <summary>Columns in which not all rows are alike.</summary>
    private int[] _varying = [];

    /// <param name="key">Which field each part of an element is; two parts may be one field.</param>
    public ElementRows(ImmutableArray<HeaderField> key)
    {
        Fields = [.. key.Distinct().Order()];
        _columns = [.. key.Select(field => Fields.IndexOf(field))];
        _hasTwice = key.Length > Fields.Length;
        _row = new ValueRange[Fields.Length];
    }

    /// <summary>The field of each column.</summary>
    public ImmutableArray<HeaderField> Fields { get; }

    public int Count => _used / _row.Length;

    /// <summary>Adds an element.</summary>
    public void Add(params ReadOnlySpan<ValueRange> parts)
    {
        var row = Next();
        if (!_hasTwice)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                row[_columns[i]] = parts[i];
                _hasRanges |= parts[i].First != parts[i].Last;
            }

            _used += row.Length;
            return;
        }

        row.Fill(new ValueRange(0, UInt128.MaxValue));
        _hasRanges = true;
        for (var i = 0; i < parts.Length; i++)
        {
            ref var cell = ref row[_columns[i]];
            cell = new ValueRange(
                UInt128.Max(cell.First, parts[i].First), UInt128.Min(cell.Last, parts[i].Last));
            if (cell.First > cell.Last)
            {
                // Two parts of one field that it cannot have both.
                return;
            }
        }

        _used += row.Length;
    }

    /// <summary>Room for one more row.</summary>
    private Span<ValueRange> Next()
    {
        if (_used + _row.Length > _cells.Length)
        {
            var larger = ArrayPool<ValueRange>.Shared.Rent(Math.Max(8 * _row.Length, 2 * _cells.Length));
            _cells.AsSpan(0, _used).CopyTo(larger);
            Release();
            _cells = larger;
        }

        return _cells.AsSpan(_used, _row.Length);
    }

    /// <summary>Gives the room of the rows to others, once a set is made of them: they are gone.</summary>
    public void Release()
    {
        if (_cells.Length > 0)
        {
            ArrayPool<ValueRange>.Shared.Return(_cells);
            _cells = [];
        }
    }

    /// <summary>A part of a row, once they are sorted.</summary>
    public ref readonly ValueRange this[int row, int column] => ref _cells[(_order[row] * _row.Length) + column];

    /// <summary>Writes a column's values otherwise, each as one or several.</summary>
    public void Rewrite(int column, Func<ValueRange, ImmutableArray<ValueRange>> written)
    {
        var count = Count;
        for (var row = 0; row < count; row++)
        {
            var at = row * _row.Length;
            var values = written(_cells[at + column]);
            _cells[at + column] = values[0];
            _hasRanges |= values.Any(value => value.First != value.Last);
            foreach (var other in values.Skip(1))
            {
                _cells.AsSpan(at, _row.Length).CopyTo(_row);
                _row[column] = other;
                _row.CopyTo(Next());
                _used += _row.Length;
            }
        }
    }

    /// <summary>Sorts the rows by their columns.</summary>
    public void Sort()
    {
        _order = new int[Count];
        _varying = [.. Enumerable.Range(0, _row.Length).Where(Varies)];
        var isSorted = true;
        for (var row = 0; row < _order.Length; row++)
        {
            _order[row] = row;
            isSorted &= row == 0 || Compare(row - 1, row) <= 0;
        }

        if (!isSorted)
        {
            Array.Sort(_order, Compare);
        }
    }

    private bool Varies(int column)
    {
        for (var at = column + _row.Length; at < _used; at += _row.Length)
        {
            if (_cells[at].First != _cells[column].First || _cells[at].Last != _cells[column].Last)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first row behind those that have the same in a column.</summary>
    public int Alike(int column, int row, int end)
    {
        if (!_varying.Contains(column))
        {
            return end;
        }

        ref readonly var values = ref this[row, column];
        do
        {
            row++;
        }
        while (row < end && this[row, column].First == values.First && this[row, column].Last == values.Last);
        return row;
    }

    /// <summary>Whether rows that are alike before a column have values in it that are neither equal nor apart.
    /// </summary>
    public bool Overlap(int column, int first, int end)
    {
        for (var row = first + 1; _hasRanges && row < end; row++)
        {
            if (this[row, column].First <= this[row - 1, column].Last && this[row, column] != this[row - 1, column])
            {
                return true;
            }
        }

        return false;
    }

    private int Compare(int one, int other)
    {
        var ours = _cells.AsSpan(one * _row.Length, _row.Length);
        var theirs = _cells.AsSpan(other * _row.Length, _row.Length);
        foreach (var column in _varying)
        {
            ref readonly var left = ref ours[column];
            ref readonly var right = ref theirs[column];
            if (left.First != right.First)
            {
                return left.First < right.First ? -1 : 1;
            }

            if (left.Last != right.Last)
            {
                return left.Last < right.Last ? -1 : 1;
            }
        }

        return 0;
    }
}
