using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Log;

/// <summary>
/// Judges a batch: whether the caller may publish for its owner, whether signatures and chain hold, and, as a courtesy,
/// whether the policy makes sense. Only the second protects anybody, and everybody repeats it; the first keeps the log
/// tidy, the third keeps people from publishing what every reader would refuse.
/// </summary>
public sealed class AppendJudge
{
    private readonly PartyId _datacentre;

    /// <summary>Judges for the board of one operator.</summary>
    public AppendJudge(PartyId datacentre) => _datacentre = datacentre;

    /// <summary>Judges a batch against a book; every item found wrong is named.</summary>
    /// <param name="book">What is verified so far.</param>
    /// <param name="caller">Who publishes.</param>
    /// <param name="envelopes">What is published, in order.</param>
    /// <param name="isHeld">
    /// Whether the log holds a statement already, by the digest of its payload. To publish it again changes nothing,
    /// also where a newer revision is in force: whoever publishes a party's whole history says what the log says.
    /// </param>
    public AppendVerdict Judge(
        StatementBook book, Principal caller, IReadOnlyList<ReadOnlyMemory<byte>> envelopes,
        Func<Digest32, bool> isHeld)
    {
        ArgumentNullException.ThrowIfNull(isHeld);
        ArgumentNullException.ThrowIfNull(book);
        ArgumentNullException.ThrowIfNull(envelopes);
        var refusals = ImmutableArray.CreateBuilder<RefusedItem>();
        var accepted = ImmutableArray.CreateBuilder<VerifiedStatement>();
        var batch = ImmutableArray.CreateBuilder<Digest32>();
        for (var position = 0; position < envelopes.Count; position++)
        {
            if (!MayPublish(book, caller, envelopes[position].Span))
            {
                refusals.Add(new RefusedItem(
                    position, "foreign-owner", "You may not publish this statement: it is not of your own party."));
                continue;
            }

            if (Envelope.Read(envelopes[position].Span) is EnvelopeReading.Read { Envelope: var envelope }
                && Digest32.Of(envelope.Payload) is var digest && isHeld(digest))
            {
                batch.Add(digest);
                continue;
            }

            switch (book.Consider(envelopes[position]))
            {
                case StatementVerdict.Accepted yes:
                    refusals.AddRange(Findings(position, yes.Statement));
                    refusals.AddRange(TakenKeys(position, book, yes));
                    accepted.Add(yes.Statement);
                    batch.Add(yes.Statement.Digest);
                    book = yes.Next;
                    break;
                case StatementVerdict.Repeated again:
                    batch.Add(again.Statement.Digest);
                    break;
                case StatementVerdict.Refused no:
                    refusals.Add(new RefusedItem(position, Words(no.Reason.ToString()), no.Sentence));
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        return refusals.Count == 0
            ? new AppendVerdict.Acceptable(accepted.ToImmutable(), batch.ToImmutable(), book)
            : new AppendVerdict.Refused(refusals.ToImmutable());
    }

    /// <summary>
    /// Asked of the bytes alone, before the book is asked, so that what a stranger is told does not depend on what the
    /// book holds of others.
    /// </summary>
    private bool MayPublish(StatementBook book, Principal caller, ReadOnlySpan<byte> bytes)
    {
        if (Envelope.Read(bytes) is not EnvelopeReading.Read { Envelope: var envelope }
            || StatementPayload.Read(envelope.Payload) is not PayloadReading.Read { Payload: var payload })
        {
            // It is no statement; whoever sent it is told so by the book.
            return true;
        }

        var owner = payload.Owner ?? PartyId.OfFirstRoot(envelope.Payload);
        return caller.Kind switch
        {
            PrincipalKind.TenantAdmin => caller.ActsFor(owner),
            PrincipalKind.Operator => caller.ActsFor(owner),
            PrincipalKind.Anonymous => payload.Owner is null && IsExpected(book, owner),
            PrincipalKind.TenantAuditor => false,
            // A key service tells of its tenant's keys, and of nothing else.
            PrincipalKind.KeyService => caller.ActsFor(owner) && payload.Kind == StatementKind.KeyChange,
            PrincipalKind.DatacentreAuditor => false,
            PrincipalKind.Host => false,
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>The first root of the datacentre itself, or of a tenant that its root lists.</summary>
    private bool IsExpected(StatementBook book, PartyId owner) =>
        owner == _datacentre
        || (book.RootInForce(_datacentre) is { } root
            && PrincipalRegister.TenantsOf(root.Statement.Body).Contains(owner));

    /// <summary>
    /// What is wrong with the statement by itself. How it fits with others is not asked: parties publish in any order.
    /// </summary>
    private IEnumerable<RefusedItem> Findings(int position, VerifiedStatement statement) =>
        statement.Kind == StatementKind.KeyChange ? KeyChangeFindings(position, statement)
        : PolicyCheck.Run(PolicyDocuments.FromStatements([statement]), _datacentre).Findings
            .Where(finding => finding.Code is (>= FindingCode.UnknownMember and <= FindingCode.BadThreshold)
                or FindingCode.MissingKey or FindingCode.MissingFileDigest)
            .Select(finding => new RefusedItem(
                position, Words(finding.Code.ToString()), $"{finding.Pointer}: {finding.Sentence}"));

    private static RefusedItem[] KeyChangeFindings(int position, VerifiedStatement statement) =>
        KeyChangeNotice.Read(statement) is null
            ? [new RefusedItem(position, "malformed-key-change", "A KeyChange has record, generation and receipt.")]
            : [];

    /// <summary>
    /// A key in two roles stands for nobody, so whoever names a key that another party uses would lock that party out.
    /// </summary>
    private IEnumerable<RefusedItem> TakenKeys(int position, StatementBook before, StatementVerdict.Accepted verdict)
    {
        if (!verdict.Statement.Kind.IsRoot() && verdict.Statement.Kind != StatementKind.Host)
        {
            return [];
        }

        return PrincipalRegister.Of(verdict.Next, _datacentre).Ambiguous
            .Except(PrincipalRegister.Of(before, _datacentre).Ambiguous)
            .Select(key => new RefusedItem(
                position, "key-in-two-roles", $"The key {key.Short} would stand for two principals; make another."));
    }

    private static string Words(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}
