using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Backups;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Devices;
using Bailiwick.Proxy.Factory;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Api;

/// <summary>
/// The Proxy's API: what each caller may see of one host. A tenant sees its own domains and machines and nothing that
/// tells of another's; a read of what belongs to a tenant is recorded before it is answered.
/// </summary>
public sealed class ProxyApi(
    PlanKeeper plans, BoardWatch board, HostView view, TvdFactory factory, VirtualDeviceManager devices,
    IntegrityManager integrity)
{
    internal const string LogName = "integrity log";

    /// <summary>
    /// Makes what this host shows: over a nonce, its logs after positions, opened to a tenant or to nobody.
    /// </summary>
    public required Func<ProofAsked, ProofAnswer> Prove { get; init; }

    /// <summary>Enrols this host's TPM with a tenant; answers why no vendor vouches for it.</summary>
    public required Func<PartyId, CancellationToken, Task<ImmutableArray<string>>> Enrol { get; init; }

    /// <summary>Shows tenants their networks.</summary>
    public required NetworkApi Network { get; init; }

    /// <summary>Explains the policies to tenants.</summary>
    public required PolicyApi Policy { get; init; }

    /// <summary>Compares the host with its plan.</summary>
    public required VerificationApi Verification { get; init; }

    /// <summary>Gives tenants their volumes' ciphertext.</summary>
    public required VolumeBackups Backups { get; init; }

    /// <summary>How long the last releases took.</summary>
    public required Func<ImmutableArray<KeyTime>> KeyTimes { get; init; }

    /// <summary>The routes with their handlers.</summary>
    public RouteMap Routes() => Network.AddTo(Verification.AddTo(Policy.AddTo(new RouteMap(ProxyRoutes.Table))))
        .Handle(ProxyRoutes.Status, call => Task.FromResult(Status(call)))
        .Handle(ProxyRoutes.Plan, call => Task.FromResult(Plan(call)))
        .Handle(ProxyRoutes.IntegrityLog, call => Task.FromResult(Log(call)))
        .Handle<ProofQuestion, ProofAnswer>(
            ProxyRoutes.Evidence, (call, question) => Task.FromResult(ProveTo(call, question)))
        .Handle<EnrolmentOrder, EnrolmentDone>(ProxyRoutes.Enrolment, EnrolAsync)
        .HandleStream(ProxyRoutes.Console, "application/octet-stream", ConsoleAsync)
        .HandleStream(ProxyRoutes.Backup, "application/octet-stream", BackupAsync);

    private RouteAnswer<ProofAnswer> ProveTo(RouteCall call, ProofQuestion question)
    {
        if (!StrictBase64.TryDecode(question.Nonce, EvidenceDocument.MaxNonceBytes, out byte[]? nonce)
            || nonce.Length == 0)
        {
            return new RouteAnswer<ProofAnswer>.Refused(new RouteProblem(
                400, "bad-nonce", $"A nonce has 1 to {EvidenceDocument.MaxNonceBytes} bytes in base64.",
                "Ask with another nonce."));
        }

        try
        {
            // A position that is not read as one is none: what is shown begins with the boot then. Only a tenant is
            // shown entries, those that concern it; hosts and operators follow the digests.
            bool isTenant = call.Caller.Kind is PrincipalKind.TenantAdmin or PrincipalKind.TenantAuditor;
            ProofAnswer proof = Prove(new ProofAsked(
                nonce, question.After is { } after ? IntegrityPosition.Read(after) : null,
                question.Held is { } held ? LogsPosition.Read(held) : null, isTenant ? call.Caller.Party : null,
                call.Caller is { Party: { } party, Host: { } name } ? new HostRef(party, name) : null));
            return new RouteAnswer<ProofAnswer>.Ok(call.Caller.Kind == PrincipalKind.Host
                ? proof
                : proof with { Enrolments = [.. proof.Enrolments.Where(one => MaySee(call.Caller, one))] });
        }
        catch (WorldException error)
        {
            return new RouteAnswer<ProofAnswer>.Refused(new RouteProblem(
                503, "no-evidence", error.Message, "Ask again; if it lasts, look at this host's TPM."));
        }
    }

    private async Task<RouteAnswer<EnrolmentDone>> EnrolAsync(RouteCall call, EnrolmentOrder order)
    {
        if (!PartyId.TryParse(order.Tenant, out PartyId? tenant)
            || (call.Caller.Kind != PrincipalKind.Operator && !call.Caller.ActsFor(tenant)))
        {
            return new RouteAnswer<EnrolmentDone>.Refused(new RouteProblem(
                403, "other-tenant", "A tenant's administrator enrols a host with the own tenant only.",
                "Name your own tenant's id."));
        }

        try
        {
            return new RouteAnswer<EnrolmentDone>.Ok(
                new EnrolmentDone(await Enrol(tenant, call.Cancel).ConfigureAwait(false)));
        }
        catch (KeyServiceException error)
        {
            return new RouteAnswer<EnrolmentDone>.Refused(error.Problem is { } problem
                ? new RouteProblem(409, problem.Code, problem.Detail, problem.Next)
                : new RouteProblem(503, "no-key-service", error.Message, "Start the tenant's key service, or mend the "
                    + "network between it and this host; then ask again."));
        }
        catch (WorldException error)
        {
            return new RouteAnswer<EnrolmentDone>.Refused(new RouteProblem(
                503, "no-tpm", error.Message, "Look at this host's TPM and its configuration."));
        }
    }

    private RouteAnswer<ProxyStatus> Status(RouteCall call)
    {
        EnforcedPlan plan = plans.Current;
        bool all = SeesAll(call.Caller);
        return new RouteAnswer<ProxyStatus>.Ok(new ProxyStatus(
            plan.Plan.Host.ToString(), all ? plan.Digest : null,
            [.. view.Machines().Where(m => all || IsOwn(call.Caller, m.Ref))],
            [.. factory.Statuses.Where(u => all || IsOwn(call.Caller, u.Unit)).Select(Unit)],
            all ? board.RefusedStatements : [], all ? view.Problems() : [],
            [
                .. KeyTimes().Where(one => all || IsOwn(call.Caller, one.Key))
                    .Select(one => new KeyTimeBody(one.Key, one.At, (long)one.Took.TotalMicroseconds)),
            ]));
    }

    private RouteAnswer<PlanBody> Plan(RouteCall call)
    {
        EnforcedPlan plan = plans.Current;
        JsonElement body = SeesAll(call.Caller)
            ? JsonElement.Parse(PlanJson.Write(plan.Plan))
            : JsonSerializer.SerializeToElement(plan.Plan.Domains
                .Where(d => call.Caller.ActsFor(d.Domain.Tenant))
                .Select(d => JsonElement.Parse(PlanJson.Write(d))).ToArray());
        try
        {
            IntegrityEntry entry = integrity.Record(
                IntegrityKind.ManagementRead, ReadersOf(call.Caller), plan.Plan.Host.ToString(),
                $"The plan, by {call.Caller}.");
            return new RouteAnswer<PlanBody>.Recorded(
                new PlanBody(plan.Digest, body), new RouteReceipt(LogName, entry.Sequence));
        }
        catch (WorldException error)
        {
            return new RouteAnswer<PlanBody>.Refused(Unrecorded(error));
        }
    }

    private RouteAnswer<IntegrityBody> Log(RouteCall call)
    {
        IntegrityHead head = integrity.Head;
        bool all = SeesAll(call.Caller);
        return new RouteAnswer<IntegrityBody>.Ok(new IntegrityBody(
            head.Entries, head.Digest.Hex,
            [
                // The commitments are needed by everybody to replay the chain; an entry is shown to those whom it
                // concerns, and what stands behind it to those whom it names.
                .. integrity.Read(call.Number("from"), (int)call.Number("limit")).Select(line => Body(
                    line, all || call.Caller.Party is { } reader && line.Entry.Readers.Include(reader),
                    all || call.Caller.Party is { } named && line.Entry.Readers.Name(named))),
            ]));
    }

    private static IntegrityLineBody Body(IntegrityLine line, bool isOpen, bool isTold) => new(
        line.Commitment.Base64,
        isOpen ? Convert.ToBase64String(line.Opening.Salt.Span) : null,
        isOpen ? Convert.ToBase64String(line.Entry.Write()) : null,
        isOpen && isTold ? Convert.ToBase64String(line.Detail.Salt.Span) : null,
        isOpen && isTold ? line.Detail.Text : null);

    /// <summary>Who reads the whole reads what is everybody's; a tenant reads only its own.</summary>
    private static IntegrityReaders ReadersOf(Principal caller) => SeesAll(caller) ? IntegrityReaders.Everyone
        : caller.Party is { } party ? IntegrityReaders.Of(party) : IntegrityReaders.Nobody;

    private async Task<RouteProblem?> ConsoleAsync(RouteCall call, RouteStreams streams)
    {
        if (call.Values.Party("tenant") is not { } tenant || call.Values.Name("name") is not { } name
            || plans.Current.Machine(MachineLayout.NameOf(new CompartmentRef(tenant, name))) is not { } machine)
        {
            return NoMachine;
        }

        try
        {
            integrity.Record(
                IntegrityKind.ManagementRead, plans.Current.ReadersOf(machine), machine.Ref.ToString(),
                $"The console of {machine.DisplayName}, by {call.Caller}.");
            if (devices.OpenConsole(machine) is not { } console)
            {
                return new RouteProblem(
                    404, "no-console", $"{machine.DisplayName} has no console.",
                    "Add the device console to the machine's statement.");
            }

            await using (console.ConfigureAwait(false))
            {
                await JoinAsync(call, streams, console).ConfigureAwait(false);
            }

            return null;
        }
        catch (WorldException error)
        {
            return new RouteProblem(
                409, "console-closed", $"The console cannot be opened: {error.Stderr.Trim()}",
                "Start the machine, or ask whoever uses its console to leave.");
        }
    }

    private async Task<RouteProblem?> BackupAsync(RouteCall call, RouteStreams streams) =>
        call.Values.Party("tenant") is { } tenant && call.Values.Name("name") is { } name
            ? await Backups.SendAsync(
                new VolumeRef(tenant, name), call.Caller.ToString(), streams.Output, call.Cancel).ConfigureAwait(false)
            : NoMachine;

    private static async Task JoinAsync(RouteCall call, RouteStreams streams, Stream console)
    {
        // The caller learns at once that the console is open, although the machine may say nothing for long.
        await streams.Output.FlushAsync(call.Cancel).ConfigureAwait(false);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(call.Cancel);
        Task inwards = CopyAsync(call, streams.Input, console, end.Token);
        Task outwards = CopyAsync(call, console, streams.Output, end.Token);
        await Task.WhenAny(inwards, outwards).ConfigureAwait(false);
        if (!outwards.IsCompleted)
        {
            // The caller has sent all; what the machine still says is the caller's until the connection ends.
            await Task.WhenAny(outwards, Task.Delay(Timeout.Infinite, call.Cancel)).ConfigureAwait(false);
        }

        await end.CancelAsync().ConfigureAwait(false);
    }

    private static async Task CopyAsync(RouteCall call, Stream from, Stream to, CancellationToken stop)
    {
        byte[] buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await from.ReadAsync(buffer, stop).ConfigureAwait(false)) > 0 && call.StillAdmitted())
            {
                await to.WriteAsync(buffer.AsMemory(0, count), stop).ConfigureAwait(false);
                await to.FlushAsync(stop).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or WorldException)
        {
            // One side has ended; the other is told by the end of its stream.
        }
    }

    private static RouteProblem NoMachine { get; } = new(
        404, "not-found", "There is no such machine on this host.", "Ask the board where the machine is.");

    internal static RouteProblem Unrecorded(WorldException error) => new(
        503, "not-recorded", $"The read cannot be recorded, so it is not answered: {error.Stderr.Trim()}",
        "Tell the operator that the host's disk has trouble.");

    private static bool SeesAll(Principal caller) =>
        caller.Kind is PrincipalKind.Operator or PrincipalKind.DatacentreAuditor;

    /// <summary>Who else has machines here is not for a tenant to know.</summary>
    private static bool MaySee(Principal caller, JsonElement enrolment) =>
        SeesAll(caller) || (EnrolmentDocument.ClaimedTenant(CanonicalJson.Write(enrolment)) is { } tenant
            && caller.ActsFor(tenant));

    private static bool IsOwn(Principal caller, string reference) =>
        reference.Split('/', ' ').Any(part =>
            PartyId.TryParse(part, out PartyId? party) && caller.ActsFor(party));

    private static UnitBody Unit(UnitStatus unit) => new(
        unit.Unit, HealthWord(unit.Health), unit.Problem,
        [.. unit.Steps.Select(s => new StepBody(s.Name, s.Ok, s.Sentence, s.At))]);

    private static string HealthWord(UnitHealth health) => health switch
    {
        UnitHealth.Pending => "pending",
        UnitHealth.Converged => "converged",
        UnitHealth.Failing => "failing",
        UnitHealth.Stopped => "stopped",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
