using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Bailiwick.Durable.Sqlite;

/// <summary>
/// Binds the provider's <c>e_sqlite3</c> to the system's <c>libsqlite3.so.0</c>, which the distribution patches; no
/// library is bundled. A missing system library is an error, never a fall-back to another one.
/// </summary>
internal static class NativeSqlite
{
    private static readonly Lock Gate = new();
    private static bool _bound;

    public static void Bind()
    {
        lock (Gate)
        {
            if (_bound)
            {
                return;
            }

            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            _bound = true;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "e_sqlite3" ? NativeLibrary.Load("libsqlite3.so.0") : 0;
}
