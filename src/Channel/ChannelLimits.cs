namespace Bailiwick.Channel;

/// <summary>Every limit of the channel between the parts. Breaking one is a refusal.</summary>
public static class ChannelLimits
{
    /// <summary>Largest file with a private key, in bytes.</summary>
    public const int KeyFileBytes = 16 * 1024;

    /// <summary>How long a certificate made from an identity key is valid, in days.</summary>
    public const int CertificateDays = 7;

    /// <summary>How far a certificate's start lies in the past, in minutes: peers' clocks may differ so much.</summary>
    public const int ClockSkewMinutes = 60;

    /// <summary>Deepest nesting of a JSON body, in levels.</summary>
    public const int JsonDepth = 32;

    /// <summary>Most members and items of one JSON body, counted together.</summary>
    public const int JsonMembers = 20_000;

    /// <summary>Most connections to one server at once.</summary>
    public const int Connections = 1024;

    /// <summary>Most requests at once on one connection.</summary>
    public const int StreamsPerConnection = 64;

    /// <summary>Bytes that a caller may send before the server has read those before, per connection.</summary>
    public const int WindowBytes = 128 * 1024;

    /// <summary>Largest sum of the headers of one request, in bytes.</summary>
    public const int HeaderBytes = 16 * 1024;

    /// <summary>How long a client may take to send its headers, in seconds.</summary>
    public const int HeaderSeconds = 10;

    /// <summary>How long a TLS handshake may take, in seconds.</summary>
    public const int HandshakeSeconds = 10;

    /// <summary>How long a request that is not a stream may take, in seconds.</summary>
    public const int RequestSeconds = 30;

    /// <summary>How long a connection may be idle, in seconds.</summary>
    public const int IdleSeconds = 120;

    /// <summary>Slowest body that is waited for, in bytes per second.</summary>
    public const int BodyBytesPerSecond = 256;

    /// <summary>How long a body may be slower than that before it is given up, in seconds.</summary>
    public const int BodySeconds = 10;

    /// <summary>Bytes of bodies that all unknown keys together may have in a server at once.</summary>
    public const int BodyBytesOfStrangers = 1024 * 1024;

    /// <summary>Requests that one known key may make at once, before its rate counts.</summary>
    public const int BurstPerKey = 400;

    /// <summary>Requests per second of one known key, sustained.</summary>
    public const int RequestsPerSecondPerKey = 200;

    /// <summary>Requests that all unknown keys together may make at once.</summary>
    public const int BurstOfStrangers = 100;

    /// <summary>Requests per second of all unknown keys together, sustained.</summary>
    public const int RequestsPerSecondOfStrangers = 50;

    /// <summary>Largest answer that a client reads into memory, in bytes.</summary>
    public const int AnswerBytes = 64 * 1024 * 1024;

    /// <summary>Longest line of a stream of JSON lines, in bytes.</summary>
    public const int StreamLineBytes = 4 * 1024 * 1024;
}
