using System.Collections.Immutable;

namespace Bailiwick.Channel.Routes;

/// <summary>
/// All endpoints of one server. What is not in it does not exist: a request without a row is answered 404, a handler
/// without a row or a row without a handler stops the start.
/// </summary>
public sealed class RouteTable
{
    /// <summary>Makes the table.</summary>
    /// <exception cref="ArgumentException">Two rows have one method and template, a row has no caller, or nobody
    /// could ever reach it.</exception>
    public RouteTable(params ImmutableArray<RouteRow> rows)
    {
        foreach (var row in rows)
        {
            if (row.Callers.IsDefaultOrEmpty || row.Method is not ("GET" or "POST" or "PUT")
                || row.MaxBodyBytes < 0 || (row.Method == "GET" && row.MaxBodyBytes != 0))
            {
                throw new ArgumentException(
                    $"The row {row} needs a caller, the method GET, POST or PUT, and a body limit that fits it.");
            }

            if (row.Scope == RouteScope.AnswerByCaller && row.Template.Contains('{', StringComparison.Ordinal))
            {
                throw new ArgumentException($"The row {row.Key} has parameters, and its scope admits none.");
            }
        }

        if (rows.GroupBy(row => row.Key, StringComparer.Ordinal).FirstOrDefault(rows => rows.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"The row {twice.Key} is there twice.");
        }

        Rows = rows;
    }

    /// <summary>The rows, in the order given.</summary>
    public ImmutableArray<RouteRow> Rows { get; }
}
