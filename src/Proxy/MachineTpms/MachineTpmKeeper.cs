using System.Collections.Immutable;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;

namespace Bailiwick.Proxy.MachineTpms;

/// <summary>
/// The TPMs of this host's machines. While a machine has its key here, its state lies in the Proxy's own directory;
/// before and after that it lies encrypted in the pool. At each start the host that starts the machine certifies its
/// endorsement key, so that whoever verified this host's evidence can go on from there to the machine's quotes.
/// </summary>
public sealed class MachineTpmKeeper(
    IHost host, MachineLayout layout, MachineTpmStates states, HostCertifier certifier)
{
    private const UnixFileMode Private =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly TpmSandbox _sandbox = new(host);

    /// <summary>The states that this host can show for a key, best first; null is a blank one.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="isHeld">
    /// Whether its key was asked for and not given back: then the state that is here is the newest, and no other is
    /// shown.
    /// </param>
    /// <exception cref="WorldException">The disk refused.</exception>
    public ImmutableArray<Digest32?> Offers(CompartmentRef machine, bool isHeld)
    {
        SoftwareTpm tpm = Of(machine);
        tpm.End();
        if (isHeld && tpm.ReadState() is { } state)
        {
            return [Digest32.Of(state)];
        }

        ImmutableArray<Digest32> resting = states.Candidates(MachineTpmPlan.NameOf(machine));
        return resting.IsEmpty ? [null] : [.. resting];
    }

    /// <summary>
    /// Starts the machine's TPM from the state for which the key was released, and waits for the machine. A blank one
    /// is made first: its seeds are random, and its endorsement key follows from them.
    /// </summary>
    /// <exception cref="WorldException">The disk, swtpm or the TPM refused; or the pool changed meanwhile.</exception>
    public void Start(CompartmentRef machine, SecretBytes key, Digest32? state)
    {
        SoftwareTpm tpm = Of(machine);
        Place(tpm, machine, state);
        tpm.RunForMaker(key);
        try
        {
            using TpmConnection connection = TpmConnection.Open(tpm.MakerAddress);
            var endorsement = EndorsementKey.OpenOrCreate(connection, EndorsementAlgorithm.Rsa2048);
            if (endorsement.Public.Key is not { } shown)
            {
                throw new WorldException(["certify", $"the TPM of {machine}"], -1, "its key cannot be read");
            }

            endorsement.WriteCertificate(certifier.Certify(shown, machine), certifier.Certificate);
        }
        catch (TpmException error)
        {
            throw new WorldException(["certify", $"the TPM of {machine}"], -1, error.Message);
        }

        tpm.End();
        tpm.RunForMachine(key);
    }

    /// <summary>
    /// Ends the machine's TPM and lays its state down in the pool; null when it was never made. What is here stays
    /// until <see cref="Forget"/>.
    /// </summary>
    /// <exception cref="WorldException">The disk refused, or swtpm does not end.</exception>
    public Digest32? Close(CompartmentRef machine)
    {
        SoftwareTpm tpm = Of(machine);
        tpm.End();
        return tpm.ReadState() is { } state ? states.Keep(MachineTpmPlan.NameOf(machine), state) : null;
    }

    /// <summary>Removes what is here, once the key service knows which state is the newest.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void Forget(CompartmentRef machine) => Empty(Of(machine).StateDirectory);

    private SoftwareTpm Of(CompartmentRef machine) =>
        new(host, _sandbox, layout.DirectoryOf(MachineLayout.NameOf(machine)));

    private void Place(SoftwareTpm tpm, CompartmentRef machine, Digest32? state)
    {
        if (state is not null && tpm.ReadState() is { } here && Digest32.Of(here) == state)
        {
            return;
        }

        Empty(tpm.StateDirectory);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(tpm.StateDirectory) ?? "/", Private);
            Directory.CreateDirectory(tpm.StateDirectory, Private);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["make", tpm.StateDirectory], -1, error.Message);
        }

        if (state is not null && !states.Fetch(MachineTpmPlan.NameOf(machine), state, tpm.StatePath))
        {
            throw new WorldException(
                ["fetch", $"the TPM state {state.Hex}"], -1, "the pool holds something else under this name");
        }
    }

    private static void Empty(string directory)
    {
        try
        {
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["remove", directory], -1, error.Message);
        }
    }
}
