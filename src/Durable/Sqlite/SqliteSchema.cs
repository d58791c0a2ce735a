namespace Bailiwick.Durable.Sqlite;

/// <summary>
/// What a database of ours is: its <c>application_id</c>, and the steps that lead from an empty file to the present
/// schema. The number of steps taken is kept in <c>user_version</c>. A file of another application, or one written by
/// a later version, is refused.
/// </summary>
/// <param name="ApplicationId">A number of our own for this kind of file; not 0.</param>
/// <param name="Steps">Constant SQL, oldest first; a step, once released, is never changed.</param>
public sealed record SqliteSchema(int ApplicationId, IReadOnlyList<string> Steps)
{
    /// <summary>
    /// Whether deleted and replaced content is overwritten with zeros in the file, and
    /// <see cref="SqliteDatabase.Scrub"/> may be called.
    /// </summary>
    public bool OverwritesWhatIsDeleted { get; init; }

    /// <summary>Other applications' ids that have a sentence of their own: why such a file is not taken.</summary>
    public IReadOnlyDictionary<int, string> Refused { get; init; } = new Dictionary<int, string>();
}
