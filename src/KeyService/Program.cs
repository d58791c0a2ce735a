using System.Runtime.InteropServices;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Listening;
using Bailiwick.Channel.Secrets;
using Bailiwick.KeyService;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Settings;
using Bailiwick.Keyring;

const int refusedToStart = 2;
const int custodyBroken = 3;
const int stoppedFollowing = 4;

if (args is not ["--config", var file])
{
    return Say(refusedToStart, "Usage: Bailiwick.KeyService --config FILE");
}

if (RuntimeFloor.Refusal(Environment.Version) is { } old)
{
    return Say(refusedToStart, old);
}

using var log = LoggerFactory.Create(to => to
    .SetMinimumLevel(LogLevel.Information)
    // Six lines for each request say nothing that a journal does not.
    .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
    .AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace));
var stop = new TaskCompletionSource();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    SecretProcess.Begin();
    await using var service = await KeyServiceProcess.Serve(
        KeyServiceSettings.Read(file), TimeProvider.System, log);
    Console.Out.WriteLine("ready");
    Console.Out.Flush();
    await Task.WhenAny(stop.Task, service.Following);
    return service.Following.IsCompleted
        ? Say(stoppedFollowing, $"The board is lost: {service.Following.Exception?.InnerException?.Message}")
        : 0;
}
catch (CustodyException error)
{
    return Say(custodyBroken, error.Message);
}
catch (Exception error) when (error is SettingsException or ChannelIdentityException or IOException
    or ArgumentException or KeyringException)
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
