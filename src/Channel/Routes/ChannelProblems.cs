using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Principals;

namespace Bailiwick.Channel.Routes;

/// <summary>The refusals that any route can give, before its handler is asked.</summary>
internal static class ChannelProblems
{
    public static RouteProblem NotFound { get; } = new(
        404, "not-found", "There is nothing here for you.", "Check the path and whose key you use.");

    public static RouteProblem AmbiguousKey { get; } = new(
        403, "ambiguous-key", "Statements name your key in more than one role.",
        "Use one key for each role, and have the statements that name this one signed anew.");

    public static RouteProblem TooMany { get; } = new(
        429, "too-many-requests", "Your key has made too many requests.", "Wait a second, then go on more slowly.");

    public static RouteProblem Crowded { get; } = new(
        503, "too-many-bytes", "The server holds as many bytes of requests as it may, or as your key may have there.",
        "Wait a second, then send again; send less at once.");

    public static RouteProblem Encoded { get; } = new(
        415, "encoded-body", "The body is compressed or encoded.", "Send it as it is, without Content-Encoding.");

    public static RouteProblem NotJson { get; } = new(
        415, "not-json", "The body's type is not application/json.", "Send JSON and say so in Content-Type.");

    public static RouteProblem Bug { get; } = new(
        500, "internal-error", "The server failed; nothing was acknowledged.",
        "Ask again; if it stays, the server's own log says why.");

    public static RouteProblem Certificate(CertificateRefusal refusal) => new(
        401, "certificate-refused", PeerCertificate.Sentence(refusal),
        "Connect again with a certificate that is valid now.");

    public static RouteProblem WrongCaller(RouteRow row, PrincipalKind kind) => new(
        403, "wrong-caller", $"This route is not for the kind of principal you are: {kind.Words()}.",
        $"It is for: {string.Join(", ", row.Callers.Select(caller => caller.Words()))}.");

    public static RouteProblem TooLarge(RouteRow row) => new(
        413, "too-large", $"The body is larger than {row.MaxBodyBytes} bytes.", "Send less at once.");

    public static RouteProblem BadBody(string sentence) => new(
        400, "bad-body", sentence, "Send the members that the API description lists, each once.");

    public static RouteProblem BadQuery(string sentence) => new(
        400, "bad-query", sentence, "Give the numbers that the API description lists, each once.");
}
