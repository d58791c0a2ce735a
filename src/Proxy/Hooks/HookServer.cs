using System.Net.Sockets;

namespace Bailiwick.Proxy.Hooks;

/// <summary>
/// Answers libvirt's hook on a unix socket of mode 0600. libvirt holds a machine's job while its hook runs, so nothing
/// on this path calls libvirt or waits for a reconciler: <see cref="IHookJudge"/> only reads what is already decided.
/// </summary>
public sealed class HookServer : IAsyncDisposable
{
    private const int MaxConcurrent = 64;
    private readonly string _path;
    private readonly IHookJudge _judge;
    private readonly Socket _listener;
    private readonly SemaphoreSlim _slots = new(MaxConcurrent);
    private readonly CancellationTokenSource _stop = new();
    private Task _accepting = Task.CompletedTask;

    /// <summary>Binds the socket; a leftover of a dead predecessor is removed first.</summary>
    public HookServer(string path, IHookJudge judge)
    {
        _path = path;
        _judge = judge;
        File.Delete(path);
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Starts answering.</summary>
    public void Start()
    {
        _listener.Listen(MaxConcurrent);
        _accepting = AcceptAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        File.Delete(_path);
        _slots.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _slots.WaitAsync(_stop.Token).ConfigureAwait(false);
                Socket peer = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = ServeAsync(peer);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                _slots.Release();
                await Task.Delay(100).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket peer)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(TimeSpan.FromSeconds(HookClient.TimeoutSeconds));
        try
        {
            await using NetworkStream stream = new(peer, ownsSocket: true);
            HookRequest request = await HookRequest.ReadAsync(stream, limit.Token).ConfigureAwait(false);
            HookAnswer answer = await _judge.JudgeAsync(request, limit.Token).ConfigureAwait(false);
            await answer.WriteAsync(stream, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or SocketException or InvalidDataException
            or OperationCanceledException)
        {
            // The hook sees a closed socket and refuses: no answer is a no.
        }
        finally
        {
            if (!_stop.IsCancellationRequested)
            {
                _slots.Release();
            }
        }
    }
}

/// <summary>Decides what libvirt may do. Every exception that leaves it closes the socket, which is a no.</summary>
public interface IHookJudge
{
    /// <summary>Decides one request; the decision is recorded before it is returned.</summary>
    Task<HookAnswer> JudgeAsync(HookRequest request, CancellationToken stop);
}
