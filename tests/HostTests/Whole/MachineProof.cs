using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bailiwick.Attestation;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.MachineTpms;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// What a machine proves of itself to a verifier outside: everything is judged by the code that judges hosts. The
/// verifier speaks with the machine's TPM through the machine, as any program in it would.
/// </summary>
internal sealed class MachineProof
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly byte[] AskLog = [0xb0, 0x07, 0, 0, 0, 10, 0, 0, 0, 0];

    private MachineProof(SubjectKey key, ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> issuer) =>
        (Key, Certificate, Issuer) = (key, certificate, issuer);

    /// <summary>The endorsement key that the machine's TPM shows.</summary>
    internal SubjectKey Key { get; }

    internal ReadOnlyMemory<byte> Certificate { get; }

    internal ReadOnlyMemory<byte> Issuer { get; }

    /// <summary>What the quoted registers prove of the machine's boot.</summary>
    internal BootFacts Facts { get; private set; } = null!; // Set by Take, the only maker.

    /// <summary>Has the machine prove itself over a nonce.</summary>
    /// <param name="line">The socket of its second line.</param>
    /// <param name="claimedLine">The command line that it claims, as its kernel measures it.</param>
    internal static async Task<MachineProof> Take(string line, string claimedLine)
    {
        byte[] log = await Log(line);
        using TpmConnection tpm = TpmConnection.Open(TpmAddress.Swtpm(line), Patience);
        var endorsement = EndorsementKey.OpenOrCreate(tpm, EndorsementAlgorithm.Rsa2048);
        MachineProof proof = new(
            endorsement.Public.Key ?? throw new InvalidOperationException(),
            endorsement.ReadCertificate() ?? default, endorsement.ReadIssuer() ?? default);
        var attestation = AttestationKey.OpenOrCreate(tpm);
        var accepted = Assert.IsType<AttestationKeyVerdict.Acceptable>(AttestationKeyCheck.Check(attestation.Public));

        // The attestation key is in the TPM with this endorsement key, and in no other.
        Assert.True(TpmWrappingKey.TryOf(endorsement.Public, out var target, out _));
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        var challenge = MadeCredential.Make(target, attestation.Name, secret, RandomNumberGenerator.Fill);
        Assert.Equal(secret, attestation.Activate(
            endorsement, new TpmCredential(challenge.Blob, challenge.EncryptedSeed), lent => lent.ToArray()));

        byte[] nonce = RandomNumberGenerator.GetBytes(32);
        using VerifierKeyCache keys = new(4);
        QuoteExpectation demand = new()
        {
            Key = accepted.Key, Nonce = nonce, Selection = EvidenceRegisters.Selection, LastSeen = null,
        };
        var quote = Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(
            attestation.Quote(EvidenceRegisters.Selection, nonce), demand, keys)).Quote;
        var boot = Assert.IsType<BootLogReading.Understood>(MeasuredBoot.Read(log)).Log;
        var explained = Assert.IsType<BootExplanation.Explained>(
            BootExplanation.Judge(boot, QuotedPcrs.Of(quote, TpmHash.Sha256))).Boot;
        proof.Facts = BootFacts.Of(explained, [claimedLine]);
        return proof;
    }

    /// <summary>Whether it is the machine's TPM, for who verified the host's evidence.</summary>
    internal MachineTpmVerdict Judge(VerifiedEvidence host, string machine)
    {
        using VerifierKeyCache keys = new(4);
        return MachineTpmVerifier.Verify(
            Certificate, Issuer, new MachineTpmExpectation(host, machine, Key, DateTimeOffset.UtcNow), keys);
    }

    /// <summary>The firmware's event log, once the machine hears.</summary>
    private static async Task<byte[]> Log(string line)
    {
        using CancellationTokenSource limit = new(Patience);
        while (true)
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(line), limit.Token);
            }
            catch (SocketException)
            {
                await Task.Delay(500, limit.Token);
                continue;
            }

            // The firmware writes to this line as well; what is sent before the marks would be its keyboard's.
            byte[] one = new byte[1];
            for (int marks = 0; marks < 4; marks = one[0] == (byte)'!' ? marks + 1 : 0)
            {
                await Fill(socket, one, limit.Token);
            }

            await socket.SendAsync(AskLog, limit.Token);
            byte[] header = new byte[10];
            do
            {
                await Fill(socket, header.AsMemory(0, 1), limit.Token);
            }
            while (header[0] == (byte)'!');
            await Fill(socket, header.AsMemory(1), limit.Token);
            byte[] log = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(2)) - header.Length];
            await Fill(socket, log, limit.Token);
            return log;
        }
    }

    private static async Task Fill(Socket socket, Memory<byte> target, CancellationToken cancel)
    {
        for (int have = 0; have < target.Length;)
        {
            int read = await socket.ReceiveAsync(target[have..], cancel);
            have += read > 0 ? read : throw new IOException("the machine ended");
        }
    }
}
