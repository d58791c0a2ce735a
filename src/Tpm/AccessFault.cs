namespace Bailiwick.Tpm;

/// <summary>Why a TPM could not be used: a closed set, each with its own next step.</summary>
public enum AccessFault
{
    /// <summary>There is no such device or socket, or nothing listens on it.</summary>
    Absent,

    /// <summary>The kernel does not let this process open it.</summary>
    Denied,

    /// <summary>Another program or thread has it.</summary>
    Busy,

    /// <summary>It ended or was unplugged in the middle; what the last command did is not known.</summary>
    Lost,

    /// <summary>It did not answer in time; the connection is given up, so that a late answer is nobody's.</summary>
    Silent,

    /// <summary>A library of tpm2-tss is not installed.</summary>
    LibraryMissing,

    /// <summary>The TPM has no object or NV index at this handle.</summary>
    Missing,

    /// <summary>Something other than what was expected lies at this handle.</summary>
    Occupied,

    /// <summary>An authorization value is wrong or demanded.</summary>
    AuthorizationRefused,

    /// <summary>The object's policy does not hold now: other PCR values, or nobody who may has approved them.</summary>
    PolicyRefused,

    /// <summary>Too many wrong authorizations; the TPM refuses for a while.</summary>
    LockedOut,

    /// <summary>The blob was not made for this TPM, this parent or this name, or was changed.</summary>
    NotForThisTpm,

    /// <summary>What was given is not what TPM 2.0 part 2 defines, or is too long.</summary>
    BadInput,

    /// <summary>No free slot for an object or session, or no free NV space.</summary>
    Full,

    /// <summary>The TPM does not have this algorithm, bank or command.</summary>
    Unsupported,

    /// <summary>The TPM or the library failed in another way.</summary>
    Failed,
}
