using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;

namespace Bailiwick.Keyring.Sealing;

/// <summary>A secret that a person keeps in a file: its first line, read straight into locked memory.</summary>
internal static class FirstLine
{
    /// <param name="disk">The system calls.</param>
    /// <param name="path">An absolute path, mode 0600 in a private directory.</param>
    /// <param name="what">What is in it, for messages.</param>
    /// <param name="mostBytes">The longest file that is believed.</param>
    public static SecretBytes Read(IDisk disk, string path, string what, int mostBytes)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(disk, Path.GetDirectoryName(path) ?? "/");
        using PrivateFile file = directory.OpenFile(Path.GetFileName(path), DiskOpen.Read)
            ?? throw new KeyringException($"The file '{path}' with the {what} is missing. Put it there, mode 0600.");
        int length = (int)Math.Min(file.Length, mostBytes + 1);
        if (length == 0 || length > mostBytes)
        {
            throw new KeyringException(
                $"The file '{path}' with the {what} has no first line of 1 to {mostBytes} bytes.");
        }

        using SecretBytes whole = SecretBytes.Create(length, bytes => file.ReadExactly(0, bytes));
        int end = EndOfLine(whole);
        return end > 0
            ? SecretBytes.Create(end, line => Copy(whole, line))
            : throw new KeyringException($"The first line of the file '{path}' with the {what} is empty.");
    }

    private static int EndOfLine(SecretBytes whole)
    {
        using SecretLoan loan = whole.Borrow();
        int end = loan.Bytes.IndexOfAny((byte)'\r', (byte)'\n');
        return end < 0 ? loan.Bytes.Length : end;
    }

    private static void Copy(SecretBytes whole, Span<byte> line)
    {
        using SecretLoan loan = whole.Borrow();
        loan.Bytes[..line.Length].CopyTo(line);
    }
}
