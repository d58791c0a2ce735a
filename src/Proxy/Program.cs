using Bailiwick.Channel.Secrets;
using Bailiwick.Proxy;
using Bailiwick.Proxy.Hooks;

// libvirt waits for the hook while it holds a machine: nothing is started for it but a question on a socket.
if (args is ["hook", ..])
{
    return await HookClient.RunAsync(args[1..], Console.OpenStandardInput(), Console.Error);
}

if (args is not ["--config", var file])
{
    await Console.Error.WriteLineAsync("usage: Bailiwick.Proxy --config FILE, or Bailiwick.Proxy hook ...");
    return 2;
}

using CancellationTokenSource stop = new();
using var interrupt = System.Runtime.InteropServices.PosixSignalRegistration.Create(
    System.Runtime.InteropServices.PosixSignal.SIGINT, Ask);
using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(
    System.Runtime.InteropServices.PosixSignal.SIGTERM, Ask);
try
{
    SecretProcess.Begin();
    await ProxyProcess.RunAsync(ProxyConfiguration.Read(file), () => Console.Out.WriteLine("ready"), stop.Token);
    return 0;
}
catch (ConfigurationException error)
{
    await Console.Error.WriteLineAsync($"bailiwick: {error.Message}");
    return 2;
}

void Ask(System.Runtime.InteropServices.PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
