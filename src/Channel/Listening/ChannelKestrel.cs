using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Pinned;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Bailiwick.Channel.Listening;

/// <summary>
/// How every server of ours listens: mutual TLS 1.3 without resumption on each address, Unix sockets included, HTTP/2
/// only, and a limit on everything a stranger can make it hold.
/// </summary>
internal static class ChannelKestrel
{
    /// <summary>Sets the server's limits and addresses. Stale Unix sockets of a dead predecessor are removed.</summary>
    /// <exception cref="IOException">A Unix socket is in use, or its place is taken by something else.</exception>
    public static void Configure(KestrelServerOptions options, ChannelListening listening)
    {
        SetLimits(options, listening.Patience);
        foreach (var address in listening.Addresses)
        {
            if (address.SocketPath is { } path)
            {
                RemoveStale(path, address);
                options.ListenUnixSocket(path, listen => Secure(listen, listening));
            }
            else
            {
                options.Listen(address.EndPoint, listen => Secure(listen, listening));
            }
        }
    }

    private static void SetLimits(KestrelServerOptions options, ChannelPatience patience)
    {
        options.AddServerHeader = false;
        options.AllowSynchronousIO = false;
        options.Limits.MaxConcurrentConnections = ChannelLimits.Connections;
        options.Limits.MaxConcurrentUpgradedConnections = 0;
        options.Limits.MaxRequestHeadersTotalSize = ChannelLimits.HeaderBytes;
        options.Limits.MaxRequestBufferSize = ChannelLimits.WindowBytes;
        options.Limits.MaxRequestHeaderCount = 64;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(ChannelLimits.HeaderSeconds);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(ChannelLimits.IdleSeconds);
        options.Limits.MinRequestBodyDataRate =
            new MinDataRate(ChannelLimits.BodyBytesPerSecond, patience.Body);
        // A row of the route table raises this for its route; no body at all is the default.
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.Http2.InitialConnectionWindowSize = ChannelLimits.WindowBytes;
        options.Limits.Http2.InitialStreamWindowSize = ChannelLimits.WindowBytes;
        options.Limits.Http2.MaxStreamsPerConnection = ChannelLimits.StreamsPerConnection;
        options.Limits.Http2.MaxRequestHeaderFieldSize = ChannelLimits.HeaderBytes;
        options.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(ChannelLimits.IdleSeconds);
    }

    private static void Secure(ListenOptions listen, ChannelListening listening)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            SslProtocols = SslProtocols.Tls13,
            ClientCertificateMode = ClientCertificateMode.RequireCertificate,
            CheckCertificateRevocation = false,
            HandshakeTimeout = TimeSpan.FromSeconds(ChannelLimits.HandshakeSeconds),
            ServerCertificateSelector = (_, _) => listening.Identity.Certificate(),
            // Who the key is, is decided per call from the verified statements; here only its form and its validity.
            ClientCertificateValidation = (certificate, _, _) =>
                PeerCertificate.TryRead(certificate, listening.Time.GetUtcNow(), out _, out _),
            OnAuthenticate = (_, tls) =>
            {
                tls.AllowTlsResume = false;
                tls.AllowRenegotiation = false;
                tls.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
                tls.CertificateChainPolicy = TlsPolicy.NoChain();
            },
        });
    }

    private static void RemoveStale(string path, ChannelAddress address)
    {
        if (!File.Exists(path))
        {
            return;
        }

        // connect(2) refuses a regular file just as it refuses a dead socket, but a socket cannot be opened (ENXIO).
        if (CanBeOpened(path))
        {
            throw new IOException($"The place of the socket '{path}' is taken by a file; move it away.");
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address.EndPoint);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // Nobody listens: a predecessor died without removing it.
            File.Delete(path);
            return;
        }
        catch (SocketException error)
        {
            throw new IOException($"The place of the socket '{path}' is taken: {error.Message}.", error);
        }

        throw new IOException($"Another process listens on '{path}'; stop it first.");
    }

    private static bool CanBeOpened(string path)
    {
        try
        {
            using var handle = File.OpenHandle(path);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
