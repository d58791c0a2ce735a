using Bailiwick.Domains.Volumes;

namespace Bailiwick.Custody.Images;

/// <summary>One conversion of a disk file to raw bytes.</summary>
/// <param name="Format">What the file is read as: qcow2, VMDK or VDI.</param>
/// <param name="Input">The file, a private copy, absolute.</param>
/// <param name="Output">An empty file of exactly the disk's length, absolute.</param>
/// <param name="Bytes">The disk's length.</param>
public sealed record ConversionOrder(DiskFormat Format, string Input, string Output, long Bytes);

/// <summary>The seam at which a tool reads what somebody brought.</summary>
public interface IImageConverter
{
    /// <summary>Fills the output; returns when nothing of the tool is left.</summary>
    /// <param name="order">What is to be converted; <see cref="DiskImport"/> has accepted it.</param>
    /// <param name="progress">Told how much is done, from 0 to 1.</param>
    /// <param name="stop">Gives up: the tool is killed.</param>
    /// <exception cref="CustodyException">The tool refused, or took more than it was given.</exception>
    void Convert(ConversionOrder order, Action<double> progress, CancellationToken stop);
}
