using Bailiwick.Benchmarks;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // The labs are taken down before the process ends.
    pressed.Cancel = true;
    interrupted.Cancel();
};
return await BenchRun.Of(args, Console.Out, Console.Error, interrupted.Token);
