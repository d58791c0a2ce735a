using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Compartments;

/// <summary>
/// The connection to libvirt. When it is lost (libvirtd was restarted) it is opened again by whoever needs it next;
/// until then every use is a failure of the world, and the machines that run go on.
/// </summary>
public sealed class HypervisorLink(Func<IHypervisor> open) : IDisposable
{
    private readonly Lock _lock = new();
    private IHypervisor? _current;

    /// <summary>The connection, opened if there is none.</summary>
    /// <exception cref="WorldException">libvirt does not answer.</exception>
    public IHypervisor Current
    {
        get
        {
            lock (_lock)
            {
                return _current ??= open();
            }
        }
    }

    /// <summary>
    /// Watches what happens to machines and tells of each event; opens the connection again when it is lost.
    /// </summary>
    /// <param name="happened">Called for each event, and once after each loss.</param>
    /// <param name="time">The clock of the pauses.</param>
    /// <param name="stop">Ends it.</param>
    public async Task WatchAsync(Action happened, TimeProvider time, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using IMachineWatch watch = Current.Watch();
                happened();
                await foreach (MachineEvent _ in watch.Events.ReadAllAsync(stop).ConfigureAwait(false))
                {
                    happened();
                }

                Lose();
            }
            catch (WorldException)
            {
                Lose();
            }

            await Task.Delay(TimeSpan.FromSeconds(1), time, stop).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Lose();

    private void Lose()
    {
        lock (_lock)
        {
            _current?.Dispose();
            _current = null;
        }
    }
}
