using System.CommandLine;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Peers;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Networking;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;
using Bailiwick.Durable;
using Bailiwick.Keyring;
using Bailiwick.Lab.Hosts;

var terminal = new Terminal();
var root = new RootCommand(
    "Bailiwick: trusted virtual domains for shared datacentres.\n"
    + "Exit codes: 0 done or yes; 1 findings, refusals or a proof that does not hold; 2 the command line, a file or "
    + "this machine is not as it must be; 3 the other side does not answer.")
{
    GlobalOptions.Json, GlobalOptions.Lab, GlobalOptions.As,
    new Command("tenant", "a tenant's keys and roots") { TenantInit.Create(terminal), TenantRotate.Create(terminal) },
    new Command("policy", "check, plan, compare, sign and publish policies")
    {
        PolicyCheckVerb.Create(terminal), PolicyPlanVerb.Create(terminal), PolicyDiffVerb.Create(terminal),
        PolicyWhyVerb.Create(terminal), PolicySchemaVerb.Create(terminal),
        PolicyShowVerb.Create(terminal),
        PolicySignVerb.Create(terminal), PolicyApplyVerb.Create(terminal),
    },
    GetVerb.Create(terminal), WatchVerb.Create(terminal), StatusVerb.Create(terminal),
    VerifyVerb.Create(terminal),
    new Command("machine", "start, stop and look into machines")
    {
        MachinePower.Create(terminal, running: true), MachinePower.Create(terminal, running: false),
        MachineConsole.Create(terminal),
    },
    new Command("volume", "a tenant's volumes: stated, shared, and who holds their keys")
    {
        VolumeCreate.Create(terminal), VolumeAttach.Create(terminal), VolumeAttach.CreateDetach(terminal),
        VolumeShare.Create(terminal), VolumeShare.CreateAccept(terminal),
        VolumeCopy.Create(terminal), VolumeCopy.CreateSnapshot(terminal), VolumeCopy.CreateResize(terminal),
        VolumeList.Create(terminal), VolumeShow.Create(terminal), VolumeTakeover.Create(terminal),
        VolumeErase.Create(terminal), VolumeBackupVerb.Create(terminal), VolumeBackupVerb.CreateVerify(terminal),
    },
    new Command("image", "what disks begin with") 
    {
        ImageImportVerb.Create(terminal), ImageApproveVerb.Create(terminal),
    },
    new Command("key", "a tenant's keys: made, shared out, rotated, destroyed")
    {
        KeyInit.Create(terminal), KeyShareOut.Create(terminal), KeyRestore.Create(terminal), KeyList.Create(terminal),
        KeyPrepare.Create(terminal), KeyLoadVerb.Create(terminal), KeyRotate.Create(terminal),
        KeyWithdraw.Create(terminal), KeyWithdraw.CreateAllow(terminal), KeyDestroy.Create(terminal),
        KeyReleaseLog.Create(terminal),
        new Command("receipt", "a key service's word on what it destroyed")
        {
            KeyReceiptVerify.Create(terminal), KeyReceiptProve.Create(terminal),
        },
    },
    new Command("host", "the datacentre's hosts")
    {
        HostList.Create(terminal), HostLeases.Create(terminal), HostDrain.Create(terminal), HostEnrol.Create(terminal),
        HostForget.Create(terminal),
    },
    new Command("network", "a tenant's own networks: where packets go, and where they went")
    {
        NetworkTrace.Create(terminal), NetworkFlows.Create(terminal), NetworkCapture.Create(terminal),
    },
    new Command("ledger", "the log of statements") { LedgerVerify.Create(terminal) },
    new Command("evidence", "what a TPM, and the maker of a TPM, vouches for")
    {
        EvidenceQuote.Create(terminal), EvidenceEk.Create(terminal), EvidenceBootLog.Create(terminal),
        EvidenceIma.Create(terminal), EvidenceExplain.Create(terminal), EvidenceFetch.Create(terminal),
        EvidenceShow.Create(terminal), EvidenceVerify.Create(terminal),
    },
    new Command("lab", "the datacentre on one machine")
    {
        LabGenerate.Create(terminal), LabUp.Create(terminal), LabDown.Create(terminal), LabExec.Create(terminal),
        LabDemo.Create(terminal), LabLyingMaster.Create(),
    },
    CompletionVerb.Create(terminal),
};

try
{
    ParseResult parsed = root.Parse(args);
    return Misuse.Refuses(terminal, parsed)
        ? (int)ExitCode.Usage
        : await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false })
            .ConfigureAwait(false);
}
catch (Exception fault) when (fault is CustodyException or LabException or DurableException or ChannelIdentityException
    or KeyringException)
{
    terminal.Complain(fault.Message);
    return (int)ExitCode.Usage;
}
catch (BoardException fault)
{
    terminal.Complain(fault.Message);
    return (int)(fault.Problem is null ? ExitCode.Unreachable : ExitCode.No);
}
catch (PeerException fault)
{
    terminal.Complain($"The host: {fault.Message}");
    return (int)(fault.Problem is null ? ExitCode.Unreachable : ExitCode.No);
}
catch (KeyServiceException fault)
{
    terminal.Complain(fault.Message);
    return (int)(fault.Problem is null ? ExitCode.Unreachable : ExitCode.No);
}
catch (Exception fault) when (fault is HttpRequestException or HttpIOException)
{
    terminal.Complain($"The other side does not answer: {fault.Message}");
    return (int)ExitCode.Unreachable;
}
catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
{
    terminal.Complain(fault.Message);
    return (int)ExitCode.Usage;
}
catch (OperationCanceledException)
{
    terminal.Complain("stopped");
    return (int)ExitCode.Usage;
}
