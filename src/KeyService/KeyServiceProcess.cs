using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Pinned;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Hierarchy;
using Bailiwick.KeyService.HostLogs;
using Bailiwick.KeyService.Leasing;
using Bailiwick.KeyService.Nonces;
using Bailiwick.KeyService.Proving;
using Bailiwick.KeyService.Releasing;
using Bailiwick.KeyService.Restarting;
using Bailiwick.KeyService.Settings;
using Bailiwick.Keyring.Sealing;

namespace Bailiwick.KeyService;

/// <summary>
/// One tenant's key service as a running whole. It trusts its own files and the tenant's root; the board, the network
/// and the operator are asked and never believed.
/// </summary>
public sealed class KeyServiceProcess : IAsyncDisposable
{
    // Taken down from the last part to the first: first whoever calls, last what is called.
    private readonly Stack<object> _parts;
    private readonly CancellationTokenSource _stop;
    private readonly ChannelServer _server;

    private KeyServiceProcess(Stack<object> parts, CancellationTokenSource stop, ChannelServer server, Task following)
    {
        _parts = parts;
        _stop = stop;
        _server = server;
        Following = following;
    }

    /// <summary>Where it listens; a port 0 is the real one here.</summary>
    public IReadOnlyCollection<string> Urls => _server.Urls;

    /// <summary>Ends only when the board can be followed no more at all: then the process must stop.</summary>
    public Task Following { get; }

    /// <summary>Builds everything and serves. What it built is taken down again if a later part fails.</summary>
    /// <exception cref="CustodyException">The store, the journal or the master key cannot be used together.</exception>
    /// <exception cref="Keyring.KeyringException">The master key does not open.</exception>
    /// <exception cref="ChannelIdentityException">The channel's key file cannot be used.</exception>
    /// <exception cref="IOException">A file or an address cannot be used.</exception>
    public static async Task<KeyServiceProcess> Serve(
        KeyServiceSettings settings, TimeProvider time, ILoggerFactory log, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(log);
        Stack<object> parts = new();
        try
        {
            var identity = Keep(parts, ChannelIdentity.FromPem(settings.File.TlsKey, time));
            var sealing = Keep(parts, settings.File.MasterKey.Lock());
            var master = Keep(parts, MasterKeyFile.Open(
                LinuxDisk.Instance, settings.File.MasterKey.File, sealing, settings.Tenant));
            var directory = Keep(parts, PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, settings.File.Directory));
            var vault = Keep(parts, KeyVault.Open(directory, master, time));
            var memory = Keep(parts, BoardMemoryFile.Open(directory));
            BoardPin pin = settings.Board;
            BoardClient board = new(Keep(parts, PinnedHandler.Create(identity, pin.Key, pin.Address, time)));
            CheckpointHistory history = new(board);
            PolicyWatch watch = new(
                new BoardFollower(board, pin.Log, memory, time: time), history, settings.Tenant, settings.Datacentre,
                log.CreateLogger("Bailiwick.Following"));
            var enrolments = Keep(parts, EnrolmentBook.Open(
                directory, settings.Tenant, identity.Key, identity.Signer));
            var hostLogs = Keep(parts, HostLogBook.Open(directory));
            var proofs = Keep(parts, new HostProofs(settings.Tenant, enrolments, hostLogs));
            var leases = Keep(parts, LeaseBook.Open(directory, time));
            var restarts = Keep(parts, RestartBook.Open(directory, time));
            NonceBook nonces = new(time);
            ReleaseDesk desk = new(vault, proofs, nonces, history, () => watch.Current, time)
            {
                Tenant = settings.Tenant,
                BestAssurance = settings.Vendors is null ? "software-tpm" : "tpm",
                Leases = leases,
                Restarts = restarts,
                Sender = (identity.Signer, identity.Key),
            };
            HolderDesk holders = new(vault, desk, () => watch.Current, time);
            leases.Refused = holders.LoseTrust;
            PostedChanges changes = PostedChanges.Open(directory, settings.Tenant, identity.Signer, time);
            HierarchyDesk keys = new(vault, desk, leases, () => watch.Current, identity.Signer) { Changes = changes };
            keys.Tell();
            LeaseDesk leasing = new(leases, proofs, nonces, history, () => watch.Current, time)
            {
                Tenant = settings.Tenant, Bar = keys.Bar,
                Restarts = new RestartDesk(restarts, vault, desk),
            };
            LeaseTeller teller = new(leasing, desk, board, time);
            EnrolmentDesk enrolling = Keep(parts, new EnrolmentDesk(
                settings.Tenant, enrolments, settings.Vendors, () => watch.Current, time)
            {
                Forgotten = host => leases.End(host, "The tenant had its TPM forgotten."),
            });

            var stop = Keep(parts, new CancellationTokenSource());
            var server = Keep(parts, await ChannelServer.Start(
                new ChannelListening(identity, settings.Listen, time),
                KeyRoutes.To(
                    desk, holders, enrolling, leasing, keys,
                    new ScrubDesk(vault, keys, leases, () => watch.Current, identity.Signer),
                    new OpeningDesk(desk, proofs, () => watch.Current, keys.Doubt, time)),
                key => watch.Principals.Resolve(key), log, cancel: cancel));
            Task following = Task.Run(
                () => RunAll(
                    stop, watch.Follow(stop.Token), leases.RunAsync(stop.Token), teller.RunAsync(stop.Token),
                    new ChangePoster(changes, board, () => watch.Current, time).RunAsync(stop.Token)),
                CancellationToken.None);
            return new KeyServiceProcess(parts, stop, server, following);
        }
        catch
        {
            await TakeDown(parts);
            throw;
        }
    }

    /// <summary>Stops to listen and to follow, closes the vault, forgets the keys.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await TakeDown(_parts);
    }

    /// <summary>Ends with the first that ends, and after all have.</summary>
    private static async Task RunAll(CancellationTokenSource stop, params Task[] all)
    {
        Task first = await Task.WhenAny(all);
        await stop.CancelAsync();
        await Task.WhenAll(all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private static T Keep<T>(Stack<object> parts, T part)
        where T : class
    {
        parts.Push(part);
        return part;
    }

    private static async Task TakeDown(Stack<object> parts)
    {
        while (parts.TryPop(out object? part))
        {
            if (part is IAsyncDisposable slow)
            {
                await slow.DisposeAsync();
            }
            else if (part is IDisposable quick)
            {
                quick.Dispose();
            }
        }
    }
}
