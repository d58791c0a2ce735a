namespace Bailiwick.Lab.Probes;

/// <summary>How a question ended.</summary>
public enum ProbeOutcome
{
    /// <summary>The asked machine answered, with the question's token.</summary>
    Answered,

    /// <summary>Nothing came back in time.</summary>
    Timeout,

    /// <summary>A reset, or "port unreachable".</summary>
    Refused,

    /// <summary>No route, or "host unreachable".</summary>
    Unreachable,

    /// <summary>Something else came back.</summary>
    Failed,
}

/// <summary>The answer to one question.</summary>
/// <param name="Open">Information passed: answered, or a TCP connection was made.</param>
/// <param name="Why">How it ended.</param>
/// <param name="Identity">TCP and UDP: who answered; empty else. In its own words, with '?' for odd bytes.</param>
/// <param name="Mac">ARP and neighbour: the answer's link address; empty else.</param>
/// <param name="Ms">Milliseconds from the first attempt to the end.</param>
public sealed record ProbeAnswer(bool Open, ProbeOutcome Why, string Identity, string Mac, int Ms);

/// <summary>One interface of the machine that is probed from.</summary>
/// <param name="Name">Its name in the machine.</param>
/// <param name="Mac">Its link address.</param>
/// <param name="Ipv4">Its IPv4 address when the channel was opened; empty while it had none.</param>
public sealed record ProbeNic(string Name, string Mac, string Ipv4);

/// <summary>What the server that a machine was told of says of a name.</summary>
/// <param name="Code">DNS's response code (RFC 1035, section 4.1.1); -1 without a server or an answer.</param>
/// <param name="Address">The name's first IPv4 address, or empty.</param>
public sealed record ProbeName(int Code, string Address);

/// <summary>Who is at the other end of a probe channel.</summary>
/// <param name="Machine">Its identity, from the kernel command line.</param>
/// <param name="Boot">How often its volume was booted with; 0 without a volume.</param>
/// <param name="Found">Whose canary was on the volume before this start; "-" for nobody's.</param>
/// <param name="Nics">Its interfaces.</param>
public sealed record ProbeHello(string Machine, int Boot, string Found, IReadOnlyList<ProbeNic> Nics);

/// <summary>Frames with a token that arrived on an interface.</summary>
public sealed record ProbeToken(string Nic, string Token, long Count);

/// <summary>Frames from a link address that arrived on an interface.</summary>
public sealed record ProbeSender(string Nic, string Mac, long Count);

/// <summary>
/// Every frame that arrived since the last "forget". An absence means something only when <paramref name="Lost"/> is 0.
/// </summary>
public sealed record ProbeSeen(
    long Frames, long Lost, IReadOnlyList<ProbeToken> Tokens, IReadOnlyList<ProbeSender> Senders)
{
    /// <summary>How many frames with this token arrived, on any interface.</summary>
    public long CountOf(string token) => Tokens.Where(one => one.Token == token).Sum(one => one.Count);
}
