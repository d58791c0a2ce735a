namespace Bailiwick.HostTests.Kernels;

/// <summary>What needs a kernel with more parts than this machine's may have holds on Debian's.</summary>
public sealed class DebianKernelTests(DebianKernel kernel, ITestOutputHelper output) : IClassFixture<DebianKernel>
{
    public static TheoryData<string> Cases => [.. DebianKernel.Cases()];

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Category", "Slow")]
    public void It_holds_on_Debians_kernel(string name)
    {
        if (kernel.Fault(name, output.WriteLine) is { } fault)
        {
            Assert.Fail(fault);
        }
    }
}
