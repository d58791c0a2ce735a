using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Channel.Identity;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Channel.Pinned;

/// <summary>
/// HTTP/2 clients that speak to exactly one server: mutual TLS 1.3 without session resumption, the server known by the
/// id of its key, no redirects, no proxy, no cookies, no decompression.
/// </summary>
public static class PinnedHandler
{
    /// <summary>A client of one server. Each connection is checked anew; a connection lives at most an hour.</summary>
    /// <param name="identity">Who we are.</param>
    /// <param name="server">The id of the only key that the server may have.</param>
    /// <param name="address">Where the server listens.</param>
    /// <param name="time">The clock for the validity of certificates; the system's if null.</param>
    public static HttpClient Create(
        ChannelIdentity identity, KeyId server, ChannelAddress address, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(identity);
        var clock = time ?? TimeProvider.System;
        var handler = new SocketsHttpHandler
        {
            SslOptions = TlsOptions(identity, server, clock),
            ConnectCallback = (_, cancel) => Connect(address, cancel),
            ConnectTimeout = TimeSpan.FromSeconds(ChannelLimits.HandshakeSeconds),
            PooledConnectionLifetime = TimeSpan.FromHours(1),
            KeepAlivePingDelay = TimeSpan.FromSeconds(15),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = ChannelLimits.HeaderBytes / 1024,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
        };
        var client = new HttpClient(handler, disposeHandler: true)
        {
            BaseAddress = new Uri("https://bailiwick"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            MaxResponseContentBufferSize = ChannelLimits.AnswerBytes,
            Timeout = TimeSpan.FromSeconds(ChannelLimits.RequestSeconds),
        };
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return client;
    }

    private static SslClientAuthenticationOptions TlsOptions(
        ChannelIdentity identity, KeyId server, TimeProvider time) => new()
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            AllowTlsResume = false,
            AllowRenegotiation = false,
            TargetHost = "bailiwick",
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = TlsPolicy.NoChain(),
            LocalCertificateSelectionCallback = (_, _, _, _, _) => identity.Certificate(),
            // The library's own verdict on names and chains is ignored on purpose: the pin replaces it whole.
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is X509Certificate2 shown
                && PeerCertificate.TryRead(shown, time.GetUtcNow(), out var key, out _)
                && key == server,
        };

    private static async ValueTask<Stream> Connect(ChannelAddress address, CancellationToken cancel)
    {
        var socket = address.SocketPath is null
            ? new Socket(address.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(address.EndPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
