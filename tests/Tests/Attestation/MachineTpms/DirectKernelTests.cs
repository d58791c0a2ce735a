using System.Buffers.Binary;
using Bailiwick.Attestation.MachineTpms;

namespace Bailiwick.Tests.Attestation.MachineTpms;

/// <summary>
/// Reference values of a kernel that firmware gets from QEMU. That they are what a real machine measures is shown by
/// the machine that proves itself (host tests); here, what they depend on, and that no bytes make them throw.
/// </summary>
public sealed class DirectKernelTests
{
    private const uint Initrd = 1 << 20;

    [Fact]
    public void The_digest_depends_on_what_QEMU_writes_and_not_on_what_it_overwrites()
    {
        byte[] kernel = Kernel();
        string? digest = DirectKernel.MeasuredKernel(kernel, Initrd, 256);
        Assert.NotNull(digest);
        Assert.NotEqual(digest, DirectKernel.MeasuredKernel(kernel, Initrd + 1, 256));
        Assert.NotEqual(digest, DirectKernel.MeasuredKernel(kernel, Initrd, 512));
        byte[] loaded = [.. kernel];
        loaded[0x210] = 7;
        Assert.Equal(digest, DirectKernel.MeasuredKernel(loaded, Initrd, 256));
        byte[] changed = [.. kernel];
        changed[^40] ^= 1;
        Assert.NotEqual(digest, DirectKernel.MeasuredKernel(changed, Initrd, 256));

        // What Authenticode leaves out: the checksum and the signatures.
        byte[] signed = [.. kernel];
        signed[^1] ^= 1;
        signed[0x40 + 24 + 64] ^= 1;
        Assert.Equal(digest, DirectKernel.MeasuredKernel(signed, Initrd, 256));
    }

    [Fact]
    public void What_is_no_such_kernel_or_does_not_fit_has_none()
    {
        byte[] kernel = Kernel();
        for (int length = 0; length < 0x260; length++)
        {
            Assert.Null(DirectKernel.MeasuredKernel(kernel.AsSpan(0, length), Initrd, 256));
        }

        for (int at = 0; at < kernel.Length; at++)
        {
            byte[] flipped = [.. kernel];
            flipped[at] ^= 0xff;
            DirectKernel.MeasuredKernel(flipped, Initrd, 256);
        }

        Assert.Null(DirectKernel.MeasuredKernel(kernel, 300u << 20, 256));
        Assert.Null(DirectKernel.MeasuredKernel(kernel, Initrd, 0));
        Assert.Null(DirectKernel.MeasuredKernel(kernel, Initrd, 4096));
        BinaryPrimitives.WriteUInt16LittleEndian(kernel.AsSpan(0x206), 0x20b);
        Assert.Null(DirectKernel.MeasuredKernel(kernel, Initrd, 256));
    }

    [Fact]
    public void The_firmware_names_the_initrd_on_the_command_line() =>
        Assert.Equal("quiet initrd=initrd", DirectKernel.MeasuredLine("quiet"));

    private static byte[] Kernel()
    {
        byte[] kernel = new byte[4096];
        "MZ"u8.CopyTo(kernel);
        kernel[0x3c] = 0x40;
        BinaryPrimitives.WriteUInt32LittleEndian(kernel.AsSpan(0x40 + 24 + 112 + 36), 16);
        "HdrS"u8.CopyTo(kernel.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(kernel.AsSpan(0x206), 0x20f);
        kernel[0x236] = 2;
        return kernel;
    }
}
