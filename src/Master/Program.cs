using System.Runtime.InteropServices;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Secrets;
using Bailiwick.Master;
using Bailiwick.Master.Settings;
using Bailiwick.Master.Store;

const int refusedToStart = 2;
const int storeDamaged = 3;
const int storeFailed = 4;

if (args is not ["--config", var file])
{
    return Say(refusedToStart, "Usage: Bailiwick.Master --config FILE");
}

if (RuntimeFloor.Refusal(Environment.Version) is { } old)
{
    return Say(refusedToStart, old);
}

using var failures = LoggerFactory.Create(log => log
    .SetMinimumLevel(LogLevel.Warning)
    .AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace));
var stop = new TaskCompletionSource();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    SecretProcess.Begin();
    await using var master = await MasterProcess.Serve(MasterSettings.Read(file), TimeProvider.System, failures);
    Console.Out.WriteLine("ready");
    Console.Out.Flush();
    await Task.WhenAny(stop.Task, master.Failed);
    return master.Failed.IsCompleted ? Say(storeFailed, "The store failed: " + (await master.Failed).Message) : 0;
}
catch (StoreDamagedException error)
{
    return Say(storeDamaged, error.Message);
}
catch (Exception error) when (error is MasterSettingsException or ChannelIdentityException or IOException
    or ArgumentException)
{
    return Say(refusedToStart, error.Message);
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.TrySetResult();
}

static int Say(int code, string sentence)
{
    Console.Error.WriteLine(sentence);
    return code;
}
