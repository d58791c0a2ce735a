using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Seeing;
using Bailiwick.Domains.Tracing;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Seeing;

namespace Bailiwick.Proxy.Api;

/// <summary>What a tenant may see of its networks on this host.</summary>
public sealed class NetworkApi(PlanKeeper plans, IntegrityManager integrity, TimeProvider time)
{
    private const int FlowsAtOnce = 1000;

    /// <summary>The flows of a domain on this host; null where it has no part in the domain.</summary>
    public required Func<DomainRef, ImmutableArray<FlowRecord>?> Flows { get; init; }

    /// <summary>Captures machines' ports.</summary>
    public required PortCapture Capture { get; init; }

    /// <summary>Adds the handlers.</summary>
    public RouteMap AddTo(RouteMap routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return routes.Handle<AskedTrace, TraceReport>(
            ProxyRoutes.Trace, (call, asked) => Task.FromResult(Trace(call, asked)))
            .Handle<AskedFlows, FlowList>(
                ProxyRoutes.Flows, (call, asked) => Task.FromResult(FlowsOf(call, asked)))
            .HandleStream(ProxyRoutes.Capture, "application/vnd.tcpdump.pcap", CaptureAsync);
    }

    /// <summary>Another tenant's domain is answered as one that is not here.</summary>
    private RouteAnswer<FlowList> FlowsOf(RouteCall call, AskedFlows asked)
    {
        EnforcedPlan plan = plans.Current;
        if (DomainRef.Read(asked.Domain) is not { } domain || !call.Caller.ActsFor(domain.Tenant)
            || plan.Domain(domain) is not { } own)
        {
            return new RouteAnswer<FlowList>.Refused(NoDomain);
        }

        try
        {
            IntegrityEntry entry = integrity.Record(
                IntegrityKind.ManagementRead, IntegrityReaders.Of(domain.Tenant), domain.ToString(),
                $"The flows of {own.DisplayName}, by {call.Caller}.");
            if (Flows(domain) is not { } records)
            {
                return new RouteAnswer<FlowList>.Refused(NoDomain);
            }

            return new RouteAnswer<FlowList>.Recorded(
                new FlowList(
                    plan.Plan.Host.Name.Text,
                    [
                        .. records.Take(FlowsAtOnce)
                            .Select(record => ReportedFlow.Of(record, plan.Plan, own, plan.Datacentre)),
                    ],
                    records.Length > FlowsAtOnce),
                new RouteReceipt(ProxyApi.LogName, entry.Sequence));
        }
        catch (WorldException error)
        {
            return new RouteAnswer<FlowList>.Refused(ProxyApi.Unrecorded(error));
        }
    }

    private async Task<RouteProblem?> CaptureAsync(RouteCall call, RouteStreams streams)
    {
        if (call.Values.Party("tenant") is not { } tenant || call.Values.Name("name") is not { } name
            || FrameFilter.Of((int)call.Number("protocol"), (int)call.Number("port")) is not { } filter)
        {
            return new RouteProblem(
                400, "bad-filter", "A capture is of all frames, of ICMP, or of one port of TCP or UDP.",
                "Name tcp/443, udp/53, icmp, or nothing.");
        }

        return await Capture.SendAsync(
            new CaptureOrder(
                new CompartmentRef(tenant, name), (int)call.Number("nic"), filter, (int)call.Number("seconds"),
                (int)call.Number("packets")),
            call, streams.Output).ConfigureAwait(false);
    }

    private static RouteProblem NoDomain { get; } = new(
        404, "not-found", "There is no such domain on this host.", "Ask the board where the domain is.");

    /// <summary>
    /// Follows the packet through this host's plan as it is in force, and through the others' as they follow from the
    /// same statements and proposals.
    /// </summary>
    private RouteAnswer<TraceReport> Trace(RouteCall call, AskedTrace asked)
    {
        if (!asked.TryRead(out TraceQuestion? question))
        {
            return new RouteAnswer<TraceReport>.Refused(new RouteProblem(
                400, "bad-question", "A trace goes from a machine's reference to another's, to tcp/N, udp/N or icmp.",
                "Name two machines and a service."));
        }

        EnforcedPlan plan = plans.Current;
        DateTimeOffset now = time.GetUtcNow();
        HostRef[] others =
        [
            .. plan.Proposals.Where(p => p.Compartment == question.From || p.Compartment == question.To)
                .Select(p => p.Host).Where(host => host != plan.Plan.Host).Distinct(),
        ];
        IEnumerable<HostPlan> hosts = others
            .Select(host => Refine.ForHost(plan.Datacentre, plan.Proposals, host, now)).Prepend(plan.Plan);
        return call.Caller is { Kind: PrincipalKind.TenantAdmin or PrincipalKind.TenantAuditor, Party: { } reader }
            && TraceReport.For(hosts, question, plan.Datacentre, reader, now) is { } report
                ? new RouteAnswer<TraceReport>.Ok(report)
                : new RouteAnswer<TraceReport>.Refused(new RouteProblem(
                    403, "not-yours", "Neither machine is of the caller's tenant.", "Name a machine of your own."));
    }
}
