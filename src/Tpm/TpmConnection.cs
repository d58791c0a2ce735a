using System.Buffers.Binary;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm.Transport;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm;

/// <summary>
/// An open TPM 2.0, by tpm2-tss (ESYS). Safe for several threads: one operation at a time, however many commands it
/// needs, so that it never holds more objects and sessions than a TPM without a resource manager has slots for; all it
/// loaded is flushed when it ends, also when it failed. Every command has a time limit. After <see
/// cref="AccessFault.Lost"/> and <see cref="AccessFault.Silent"/> the connection is of no more use: open another.
/// </summary>
public sealed class TpmConnection : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TpmTransport _transport;
    private readonly TctiContext _tcti;
    private readonly TpmCommands _commands;
    private bool _isDisposed;

    private TpmConnection(TpmAddress address, TpmTransport transport, TctiContext tcti, TpmCommands commands)
    {
        Address = address;
        _transport = transport;
        _tcti = tcti;
        _commands = commands;
    }

    /// <summary>Which TPM it is.</summary>
    public TpmAddress Address { get; }

    /// <summary>Opens a TPM. One that nobody else can use (swtpm) is started if it is not, and what a dead predecessor
    /// left loaded in it is flushed.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="commandLimit">How long a command may take; if not said, <see
    /// cref="AccessLimits.CommandTime"/>.</param>
    /// <exception cref="TpmException">It cannot be used; see <see cref="AccessFault"/>.</exception>
    public static TpmConnection Open(TpmAddress address, TimeSpan? commandLimit = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        var limit = commandLimit ?? AccessLimits.CommandTime;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
        var opening = limit < AccessLimits.OpeningTime ? limit : AccessLimits.OpeningTime;
        var transport = TpmTransport.Open(address);
        TctiContext? tcti = null;
        TpmCommands? commands = null;
        try
        {
            if (address.IsOurs)
            {
                LeftoverSweep.Run(transport, opening);
            }

            tcti = new TctiContext(transport) { Limit = opening };
            commands = TpmCommands.Start(address, transport, tcti);
            _ = commands.ReadClock();
            tcti.Limit = limit;
            return new TpmConnection(address, transport, tcti, commands);
        }
        catch
        {
            commands?.Dispose();
            tcti?.Dispose();
            transport.Dispose();
            throw;
        }
    }

    /// <summary>Fills a span with random bytes from the TPM. Its generator is one source among others: mix it with the
    /// system's where a key depends on it.</summary>
    /// <exception cref="TpmException">The TPM failed.</exception>
    public void FillRandom(Span<byte> target)
    {
        var bytes = Use(target.Length, static (commands, wanted) =>
        {
            var all = new byte[wanted];
            for (var have = 0; have < wanted;)
            {
                var part = commands.GetRandom((ushort)Math.Min(wanted - have, 32));
                if (part.Length == 0 || part.Length > wanted - have)
                {
                    throw new TpmException(AccessFault.Failed, "TPM2_GetRandom", $"{part.Length} bytes came");
                }

                part.CopyTo(all, have);
                have += part.Length;
            }

            return all;
        });
        bytes.CopyTo(target);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>The TPM's clock and how often it was reset, as the TPM says without a signature.</summary>
    /// <exception cref="TpmException">The TPM failed.</exception>
    public TpmClockInfo ReadClock() => Use(static commands =>
    {
        // TPMS_TIME_INFO: time (8), clock (8), resetCount (4), restartCount (4), safe (1).
        var info = commands.ReadClock();
        return new TpmClockInfo(
            BinaryPrimitives.ReadUInt64BigEndian(info.AsSpan(8)),
            BinaryPrimitives.ReadUInt32BigEndian(info.AsSpan(16)),
            BinaryPrimitives.ReadUInt32BigEndian(info.AsSpan(20)),
            info[24] != 0);
    });

    /// <summary>Ends the connection; an operation that runs is waited for.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                _commands.Dispose();
                _tcti.Dispose();
                _transport.Dispose();
            }
        }
    }

    /// <summary>Runs one operation while nobody else uses the TPM.</summary>
    internal T Use<T>(Func<TpmCommands, T> operation) => Use(operation, static (commands, run) => run(commands));

    /// <inheritdoc cref="Use{T}(Func{TpmCommands, T})"/>
    internal T Use<T, TState>(TState state, Func<TpmCommands, TState, T> operation)
        where TState : allows ref struct
    {
        if (!_gate.TryEnter(AccessLimits.QueueTime))
        {
            throw new TpmException(AccessFault.Busy, Address.ToString(), "other threads use it without end");
        }

        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return operation(_commands, state);
        }
        finally
        {
            _gate.Exit();
        }
    }
}
