namespace Bailiwick.Tpm.Tss;

/// <summary>
/// Something that is loaded in the TPM or known to the library for the length of one operation. Disposing flushes what
/// takes a slot, and forgets what does not.
/// </summary>
internal sealed class TpmHandle : IDisposable
{
    private readonly TpmCommands _commands;
    private readonly bool _takesSlot;
    private uint _resource;

    public TpmHandle(TpmCommands commands, uint resource, bool takesSlot)
    {
        _commands = commands;
        _resource = resource;
        _takesSlot = takesSlot;
    }

    /// <summary>The library's number for it (ESYS_TR).</summary>
    public uint Resource => _resource != NativeEsys.None
        ? _resource
        : throw new ObjectDisposedException(nameof(TpmHandle));

    public void Dispose()
    {
        if (_resource != NativeEsys.None)
        {
            _commands.Release(_resource, _takesSlot);
            _resource = NativeEsys.None;
        }
    }
}
