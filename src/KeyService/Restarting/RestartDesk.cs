using System.Collections.Immutable;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Releasing;

namespace Bailiwick.KeyService.Restarting;

/// <summary>
/// Where hosts hear which of their restart leases still stand, and where the owner withdraws a key. A host is told with
/// every answer to its proof, so that what is withdrawn ends within seconds wherever this key service is heard.
/// </summary>
public sealed class RestartDesk(RestartBook book, KeyVault vault, ReleaseDesk releases)
{
    private const string Journal = "restart journal";

    /// <summary>Takes what a host keeps, and says what of it stands.</summary>
    public ImmutableArray<RestartWord> Heard(HostRef host, ImmutableArray<string> kept)
    {
        ArgumentNullException.ThrowIfNull(host);
        lock (releases.Gate)
        {
            book.Heard(host.ToString(), kept);
            return [.. kept.Distinct().Select(nonce => new RestartWord(nonce, Against(host.ToString(), nonce)))];
        }
    }

    /// <summary>Withdraws a key, or allows it again.</summary>
    public RouteAnswer<Nothing> Withdraw(WithdrawalBody body)
    {
        ArgumentNullException.ThrowIfNull(body);
        lock (releases.Gate)
        {
            if (vault.DomainOf(body.Key) is null)
            {
                return new RouteAnswer<Nothing>.Refused(KeyProblems.NoSuchKey);
            }

            long record = body.Withdrawn ? book.Withdraw(body.Key) : book.Allow(body.Key);
            return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt(Journal, record));
        }
    }

    private string Against(string host, string nonce) =>
        book.KeyOf(host, nonce) is not { } key ? "its key service knows no such restart lease, or ended it."
        : book.WithdrawnAt(key) is { } since ? $"its tenant withdrew the key of {key} at {since:u}."
        : vault.HoldersOf(key).All(one => one.Host != host) ? $"{key} is no longer held by this host."
        : "";
}
