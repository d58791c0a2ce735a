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
    private readonly List<ValueRange> _cells = [];
    private readonly ValueRange[] _row;
    private int[] _order = [];

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

    public int Count => _cells.Count / _row.Length;

    /// <summary>Adds an element.</summary>
    public void Add(ReadOnlySpan<ValueRange> parts)
    {
        if (_hasTwice)
        {
            Array.Fill(_row, new ValueRange(0, UInt128.MaxValue));
        }

        for (var i = 0; i < parts.Length; i++)
        {
            ref var cell = ref _row[_columns[i]];
            cell = _hasTwice
                ? new ValueRange(UInt128.Max(cell.First, parts[i].First), UInt128.Min(cell.Last, parts[i].Last))
                : parts[i];
            if (cell.First > cell.Last)
            {
                // Two parts of one field that it cannot have both.
                return;
            }
        }

        _cells.AddRange(_row);
    }

    /// <summary>A part of a row, once they are sorted.</summary>
    public ValueRange this[int row, int column] => _cells[(_order[row] * _row.Length) + column];

    /// <summary>Writes a column's values otherwise, each as one or several.</summary>
    public void Rewrite(int column, Func<ValueRange, ImmutableArray<ValueRange>> written)
    {
        var count = Count;
        for (var row = 0; row < count; row++)
        {
            var at = row * _row.Length;
            var values = written(_cells[at + column]);
            _cells[at + column] = values[0];
            foreach (var other in values.Skip(1))
            {
                _cells.CopyTo(at, _row, 0, _row.Length);
                _row[column] = other;
                _cells.AddRange(_row);
            }
        }
    }

    /// <summary>Sorts the rows by their columns.</summary>
    public void Sort()
    {
        _order = new int[Count];
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

    /// <summary>The first row behind those that have the same in a column.</summary>
    public int Alike(int column, int row, int end)
    {
        var values = this[row, column];
        do
        {
            row++;
        }
        while (row < end && this[row, column] == values);
        return row;
    }

    /// <summary>Whether rows that are alike before a column have values in it that are neither equal nor apart.
    /// </summary>
    public bool Overlap(int column, int first, int end)
    {
        for (var row = first + 1; row < end; row++)
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
        var (a, b) = (one * _row.Length, other * _row.Length);
        for (var i = 0; i < _row.Length; i++)
        {
            var (left, right) = (_cells[a + i], _cells[b + i]);
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
