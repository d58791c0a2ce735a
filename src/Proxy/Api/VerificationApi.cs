using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Verification;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Verification;

namespace Bailiwick.Proxy.Api;

/// <summary>Shows whether this host is as its plan says, to each caller what concerns it.</summary>
public sealed class VerificationApi(
    PlanKeeper plans, HostVerifier verifier, IntegrityManager integrity, TimeProvider time)
{
    private const int MostDrifts = 50;

    // Reading all of a host back takes its time: whoever asks meanwhile waits, and does not double it.
    private readonly Lock _turn = new();

    /// <summary>Adds the handlers.</summary>
    public RouteMap AddTo(RouteMap routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return routes.Handle(ProxyRoutes.Verification, call => Task.Run(() => Verify(call)));
    }

    private RouteAnswer<HostVerification> Verify(RouteCall call)
    {
        bool all = call.Caller.Kind is PrincipalKind.Operator or PrincipalKind.DatacentreAuditor;
        EnforcedPlan plan;
        ImmutableArray<VerifiedThing> things;
        long begun = Stopwatch.GetTimestamp();
        lock (_turn)
        {
            plan = plans.Current;
            things = verifier.Verify(plan, Named(plan));
            if (!ReferenceEquals(plan, plans.Current))
            {
                // A newer plan came while this one was compared: what differs may be what it changed.
                plan = plans.Current;
                things = verifier.Verify(plan, Named(plan));
            }
        }

        Func<DomainRef, bool> Named(EnforcedPlan asked) => all ? _ => true
            : call.Caller.Party is { } reader ? LiveProof.Named(asked.Datacentre, IntegrityReaders.Of(reader))
            : _ => false;

        bool IsShown(IntegrityReaders readers) =>
            all || (call.Caller.Party is { } reader && readers.Include(reader));

        return new RouteAnswer<HostVerification>.Ok(new HostVerification(
            plan.Plan.Host.Name.Text, plan.Digest, time.GetUtcNow(),
            (long)Stopwatch.GetElapsedTime(begun).TotalMilliseconds,
            [
                .. things.Where(thing => IsShown(thing.Readers)).Select(thing => new ComparedThing(
                    WireText.Of(thing.Kind), thing.Subject, thing.Differences)),
            ],
            [
                .. integrity.Last(
                    entry => entry.Kind == IntegrityKind.Drift && IsShown(entry.Readers), MostDrifts).Reverse()
                    .Select(line => new FoundDrift(line.Entry.Sequence, line.Entry.Subject, line.Detail.Text)),
            ]));
    }
}
