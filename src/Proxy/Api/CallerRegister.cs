using Bailiwick.Channel.Principals;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Api;

/// <summary>Whom a caller's key stands for, by the statements verified at this moment.</summary>
public sealed class CallerRegister(PlanKeeper plans, HostRef host)
{
    private volatile Made? _made;

    /// <summary>Whom a key stands for; null if statements name it in more than one role.</summary>
    public Principal? Resolve(KeyId key)
    {
        StatementBook book = plans.Book;
        Made? made = _made;
        if (made is null || !ReferenceEquals(made.Book, book))
        {
            _made = made = new Made(book, PrincipalRegister.Of(book, host.Operator));
        }

        return made.Register.Resolve(key);
    }

    private sealed record Made(StatementBook Book, PrincipalRegister Register);
}
