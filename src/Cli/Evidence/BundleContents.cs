using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Attestation;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Evidence;

/// <summary>What a bundle says, put in order for people; nothing here is a verdict.</summary>
internal sealed class BundleContents
{
    private readonly List<(string Name, string Text)> _facts = [];
    private readonly EvidenceBundle _bundle;
    private readonly EvidenceClaims _claims;
    private readonly LogExplanation? _logs;
    private readonly StatementBook _book;

    private BundleContents(EvidenceBundle bundle, EvidenceClaims claims)
    {
        _bundle = bundle;
        _claims = claims;
        _book = bundle.Statements.Aggregate(StatementBook.Empty, (book, envelope) =>
            book.Consider(envelope) is StatementVerdict.Accepted accepted ? accepted.Next : book);
        _logs = claims.Tpm is { } tpm && !bundle.Logs.BootLog.IsEmpty
            ? LogExplanation.Of(
                bundle.Logs.BootLog.ToArray(),
                bundle.Logs.RuntimeLog.IsEmpty ? null : bundle.Logs.RuntimeLog.ToArray(), tpm.Registers)
            : null;
        Registers = [.. (claims.Tpm?.Registers.All ?? [])
            .Select(value => (value.Register, Convert.ToHexStringLower(value.Value.Span)))];
        Say();
        SayKeys();
        SayBoot();
        Domains = [.. PolicyCheck.Run(PolicyDocuments.FromStatements(StatementKinds.All.SelectMany(_book.Current))
            .Documents).Datacentre.Domains.Values.Select(Judge)];
    }

    internal IReadOnlyList<(string Name, string Text)> Facts => _facts;

    internal IReadOnlyList<(int Register, string Value)> Registers { get; }

    internal ImmutableArray<DomainDemands> Domains { get; }

    /// <summary>The entries of the integrity log that are open to whoever fetched the bundle.</summary>
    internal ImmutableArray<IntegrityOpening> Entries =>
        IntegrityTail.Read(_bundle.Logs.IntegrityLog.Span, out _)?.Openings ?? [];

    /// <summary>Why logs prove nothing.</summary>
    internal IReadOnlyList<string> Faults => _logs?.Faults ?? [];

    /// <summary>Null when the evidence has not its form.</summary>
    internal static BundleContents? Of(EvidenceBundle bundle) =>
        EvidenceVerifier.Claimed(bundle.Evidence.Span) is { } claims ? new BundleContents(bundle, claims) : null;

    private void Say()
    {
        Say("form", _claims.Tpm is null ? "the host's word, no TPM (level software)" : "a TPM's quote");
        Say("host", _claims.Host);
        Say("boot", _claims.Boot.ToString("D"));
        Say("checkpoint", string.Create(CultureInfo.InvariantCulture,
            $"{_claims.Checkpoint.Origin} at {_claims.Checkpoint.Size} leaves, root {_claims.Checkpoint.Root.Hex}"));
        Say("nonce", Convert.ToHexStringLower(_claims.Nonce.Span));
        Say("channel key", _claims.ChannelKey.Id.ToString());
        Say("integrity log", string.Create(CultureInfo.InvariantCulture,
            $"{_claims.IntegrityLog.Entries} entries, head {_claims.IntegrityLog.Digest.Hex}"));
    }

    private void SayKeys()
    {
        if (_claims.Tpm is { } tpm)
        {
            Say("attestation key", tpm.AttestationKey.Name.Hex);
        }

        foreach (byte[] document in _bundle.Enrolments)
        {
            PartyId? tenant = EnrolmentDocument.ClaimedTenant(document);
            EnrolledKey? key = tenant is not null && TenantServices.KeyOf(_book, tenant) is { } service
                ? EnrolmentDocument.Verify(document, tenant, service, out _) : null;
            Say($"enrolment of {tenant?.Short ?? "?"}", key is null
                ? "not signed by the key service that the bundle's root of that tenant names"
                : $"TPM {key.EndorsementKey.Hex[..16]}, attestation key {key.AttestationKey.Area?.Name.Hex}, "
                    + (key.Vendors is { } file ? $"a maker of {file.Hex[..16]} vouches" : "no maker vouches"));
        }
    }

    private void SayBoot()
    {
        if (_logs?.Boot is not { } boot)
        {
            Say("boot log", _bundle.Logs.BootLog.IsEmpty ? "none" : "it does not explain the registers");
            return;
        }

        PredicateOutcome secure = Appraisal.Judge([new Predicate.SecureBoot(On: true)], boot, null).Outcomes[0];
        Say("secure boot", secure.Satisfied ? "on" : secure.Sentence);
        foreach (BootFact.Phrase line in Appraisal.CommandLines(boot))
        {
            Say(Event("command line", line), line.Text);
        }

        foreach (BootFact.Content file in boot.In(9).OfType<BootFact.Content>())
        {
            Say(Event("loaded", file), $"{file.Label} {file.Hex}");
        }

        Say("runtime log", _logs.Runtime is { } runtime
            ? string.Create(CultureInfo.InvariantCulture, $"{runtime.After.Count.Entries} entries, "
                + $"{runtime.After.Count.Violations} violations")
            : _bundle.Logs.RuntimeLog.IsEmpty ? "none" : "it does not explain the register");
    }

    private DomainDemands Judge(DomainModel domain)
    {
        AppraisalReport report = Appraisal.Judge(domain.Hosts.Evidence, _logs?.Boot, _logs?.Runtime);
        return new DomainDemands(
            domain.Origin.ToString(), string.Join(" or ", domain.Hosts.Assurance.Select(WireText.Of)),
            [.. report.Outcomes.Select(Demand)]);
    }

    private static Demand Demand(PredicateOutcome outcome) => new(
        EvidenceExplain.Kind(outcome.Predicate), outcome.Satisfied, EvidenceExplain.Events(outcome), outcome.Sentence);

    private static string Event(string what, BootFact fact) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} (event {fact.Event})");

    private void Say(string name, string text) => _facts.Add((name, text));
}

/// <summary>A domain's demands, judged by the registers as the bundle gives them.</summary>
/// <param name="Origin">The policy.</param>
/// <param name="Accepts">The levels it accepts.</param>
/// <param name="Demands">Demand by demand.</param>
internal sealed record DomainDemands(string Origin, string Accepts, ImmutableArray<Demand> Demands);

/// <summary>One demand.</summary>
/// <param name="Kind">What is demanded.</param>
/// <param name="Holds">Whether it holds.</param>
/// <param name="Events">By which events.</param>
/// <param name="Sentence">Why.</param>
internal sealed record Demand(string Kind, bool Holds, string Events, string Sentence);
