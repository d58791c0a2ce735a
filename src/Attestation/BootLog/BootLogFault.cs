using System.Diagnostics;
using System.Globalization;

namespace Bailiwick.Attestation.BootLog;

/// <summary>Why a boot log cannot be read. Closed.</summary>
public enum BootLogFaultCode
{
    /// <summary>There is no event in it.</summary>
    Empty = 1,

    /// <summary>It has more bytes than <see cref="BootLogLimits.Bytes"/>.</summary>
    TooLarge,

    /// <summary>It has more events than <see cref="BootLogLimits.Events"/>.</summary>
    TooManyEvents,

    /// <summary>An event ends before its header does.</summary>
    HeaderTruncated,

    /// <summary>An event claims more data than there is.</summary>
    DataBeyondEnd,

    /// <summary>An event is measured into a PCR that a PC has not.</summary>
    PcrOutOfRange,

    /// <summary>The event that declares the banks ends too early, or declares none or too many.</summary>
    SpecIdMalformed,

    /// <summary>A bank is declared twice.</summary>
    BankTwice,

    /// <summary>A bank is declared with another length than its hash has.</summary>
    DigestLengthWrong,

    /// <summary>An event has a digest of a bank that is not declared, so that its length is unknown.</summary>
    BankNotDeclared,

    /// <summary>An event has two digests of one bank, or more than there are banks.</summary>
    DigestTwice,
}

/// <summary>Why and where reading a boot log failed.</summary>
/// <param name="Code">The reason.</param>
/// <param name="Event">The number of the event, from 0.</param>
/// <param name="Offset">Where the event begins, in bytes from the log's beginning.</param>
public sealed record BootLogFault(BootLogFaultCode Code, int Event, int Offset)
{
    /// <summary>The fault as a sentence.</summary>
    public string Sentence => string.Create(
        CultureInfo.InvariantCulture, $"Event {Event} at byte {Offset}: {Words}.");

    private string Words => Code switch
    {
        BootLogFaultCode.Empty => "there is none; the log is empty",
        BootLogFaultCode.TooLarge => $"the log has more than {BootLogLimits.Bytes} bytes",
        BootLogFaultCode.TooManyEvents => $"there are more than {BootLogLimits.Events} events",
        BootLogFaultCode.HeaderTruncated => "the log ends inside its header",
        BootLogFaultCode.DataBeyondEnd => "its data would reach beyond the end of the log",
        BootLogFaultCode.PcrOutOfRange => $"it names a PCR beyond {BootLogLimits.Pcrs - 1}",
        BootLogFaultCode.SpecIdMalformed => "the declaration of banks is not complete, or of none or too many",
        BootLogFaultCode.BankTwice => "a bank is declared twice",
        BootLogFaultCode.DigestLengthWrong => "a bank is declared with another length than its hash has",
        BootLogFaultCode.BankNotDeclared => "it has a digest of a bank that the log does not declare",
        BootLogFaultCode.DigestTwice => "it has two digests of one bank, or more than there are banks",
        _ => throw new UnreachableException(),
    };
}

/// <summary>The outcome of reading a boot log: <see cref="Understood"/> or <see cref="Rejected"/>.</summary>
public abstract record BootLogReading
{
    private BootLogReading()
    {
    }

    /// <summary>The log was read. Whether it is true is another question.</summary>
    /// <param name="Log">The log.</param>
    public sealed record Understood(MeasuredBoot Log) : BootLogReading;

    /// <summary>The log cannot be read.</summary>
    /// <param name="Fault">Why and where.</param>
    public sealed record Rejected(BootLogFault Fault) : BootLogReading;
}
