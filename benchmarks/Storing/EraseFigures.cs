using System.Diagnostics;
using System.Text;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Storing;

/// <summary>
/// The end of a key in the key service's own vault, on a real disk: journal, store and sealed master key changed and
/// flushed, the old ones gone. It takes as long for a volume of any size.
/// </summary>
internal static class EraseFigures
{
    private const int Kept = 100;
    private static readonly Goal AtOnce = new(1, "crypto-erase is done before an overwrite begins");

    internal static async Task<IReadOnlyList<Figure>> Measure(string directory, Effort effort, Action<string> tell)
    {
        var tenant = PartyId.Unsigned("bank");
        string path = Path.Combine(directory, "vault");
        Directory.CreateDirectory(path);
        using PrivateDirectory files = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Path.Combine(path, "store"));
        try
        {
            using PassphraseLock sealing = PassphraseLock.Of(SecretBytes.Take("a passphrase of the bench"u8.ToArray()));
            string sealedFile = Path.Combine(path, "store", "master.sealed");
            using (MasterKey key = MasterKey.Make(tenant, 1))
            {
                MasterKeyFile.Create(LinuxDisk.Instance, sealedFile, sealing, key);
            }

            using MasterKeyFile master = MasterKeyFile.Open(LinuxDisk.Instance, sealedFile, sealing, tenant);
            using KeyVault vault = KeyVault.Open(files, master, TimeProvider.System);
            for (int key = 0; key < Kept; key++)
            {
                Make(vault, tenant, $"kept-{key}");
            }

            double[] medians = await Race.Run(effort, round =>
            {
                string gone = Make(vault, tenant, $"gone-{round}");
                Destruction asked = new("key", gone, Digest32.Of(Encoding.ASCII.GetBytes(gone)).Hex)
                {
                    LedgerSize = 1, LedgerRoot = Digest32.Of("root"u8).Hex,
                };
                long start = Stopwatch.GetTimestamp();
                vault.Destroy(asked, DestructionFacts.None);
                return Task.FromResult(Stopwatch.GetElapsedTime(start).TotalSeconds);
            });
            tell($"a key is destroyed in {medians[0] * 1000:0.0} ms");
            return [Figure.Time("storage.crypto-erase", medians[0], "the limit", 0.050, AtOnce)];
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static string Make(KeyVault vault, PartyId tenant, string name)
    {
        string key = $"{tenant}/{name}";
        VaultHolder holder = new(
            $"{tenant}/host-1", Convert.ToBase64String(Digest32.Of(Encoding.ASCII.GetBytes(key)).Bytes))
        {
            Compartment = $"{tenant}/web-1", Access = "write",
        };
        vault.Release(new KeyGrant(key, $"{tenant}/web", holder) { Revision = 1 }, _ => 0);
        vault.Clear(key, holder, ClearCause.Returned, Digest32.Of("returned"u8).Hex);
        return key;
    }
}
