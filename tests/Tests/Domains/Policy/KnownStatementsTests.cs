using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Policy;

public sealed class KnownStatementsTests
{
    [Fact]
    public void A_statement_that_was_taken_before_is_not_taken_apart_again_and_a_changed_one_is()
    {
        var signed = SignedExample.Of(Example.ThreeTenants);
        var before = PolicyDocuments.FromStatements(signed.Statements);
        var next = signed.Then(Example.ThreeTenants.With("bank/web.yaml", "ports: [5432]", "ports: [5433]"));
        var after = PolicyDocuments.FromStatements(next.Statements, before: before);
        var changed = Assert.Single(
            after.Documents, document => !before.Documents.Contains(document, ReferenceEqualityComparer.Instance));
        Assert.Equal(("web", 2), (changed.Origin.Name.Text, changed.Origin.Revision));
        Assert.Equal(before.Documents.Length, after.Documents.Length);
    }
}
