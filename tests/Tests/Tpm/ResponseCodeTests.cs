using Bailiwick.Tpm;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tests.Tpm;

/// <summary>Response codes become faults, words and next steps.</summary>
public sealed class ResponseCodeTests
{
    [Theory]
    [InlineData(0x0000018bu, AccessFault.Missing, "(handle 1)")]
    [InlineData(0x000001c4u, AccessFault.BadInput, "(parameter 1)")]
    [InlineData(0x000002dfu, AccessFault.NotForThisTpm, "(parameter 2)")]
    [InlineData(0x0000099du, AccessFault.PolicyRefused, "(session 1)")]
    [InlineData(0x0000098eu, AccessFault.AuthorizationRefused, "(session 1)")]
    [InlineData(0x00000128u, AccessFault.PolicyRefused, "TPM_RC_PCR_CHANGED")]
    [InlineData(0x00000902u, AccessFault.Full, "TPM_RC_OBJECT_MEMORY")]
    [InlineData(0x00000921u, AccessFault.LockedOut, "TPM_RC_LOCKOUT")]
    [InlineData(0x00000101u, AccessFault.Failed, "failure mode")]
    [InlineData(0x000c0902u, AccessFault.Full, "TPM_RC_OBJECT_MEMORY")]
    [InlineData(0x00070001u, AccessFault.Failed, "tpm2-tss, layer 7")]
    [InlineData(0x000a000au, AccessFault.Failed, "tpm2-tss, layer 10")]
    [InlineData(0x000000ffu, AccessFault.Failed, "0x0ff")]
    [InlineData(0xffffffffu, AccessFault.Failed, "layer 255")]
    public void Tells_the_fault_and_where_it_lies(uint code, object fault, string words)
    {
        var read = ResponseCode.Read(code);
        Assert.Equal(fault, read.Fault);
        Assert.Contains(words, read.Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_has_a_next_step_of_its_own()
    {
        var steps = Enum.GetValues<AccessFault>()
            .Select(fault => new TpmException(fault, "TPM2_Quote, swtpm:/run/t.sock", "it did not")).ToList();
        Assert.Equal(steps.Count, steps.Select(one => one.NextStep).Distinct().Count());
        Assert.All(steps, one => Assert.StartsWith("TPM2_Quote, swtpm:/run/t.sock: it did not. ", one.Message,
            StringComparison.Ordinal));
    }

    [Fact]
    public void No_code_makes_the_reading_throw()
    {
        for (uint code = 1; code <= 0xffff; code++)
        {
            Assert.NotEmpty(ResponseCode.Read(code).Words);
        }
    }
}
