using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks.Starting;

/// <summary>What both sides need: a lab's directory each; kernel, guest and compiled programs in one cache.</summary>
internal sealed class StartScene
{
    private readonly LabPaths _paths;
    private readonly string _cache;
    private readonly GuestImage _image;
    private readonly IProgress<LabStep> _steps;
    private readonly string _directory;

    private StartScene(string directory, LabPaths paths, string cache, GuestImage image, IProgress<LabStep> steps)
    {
        _directory = directory;
        _paths = paths;
        _cache = cache;
        _image = image;
        _steps = steps;
    }

    internal static async Task<StartScene> Make(string directory, Action<string> tell, CancellationToken cancel)
    {
        // Both labs and the demonstration's take the kernel, the guest and the compiled programs from one cache.
        string cache = Path.Combine(Checkout.Root, ".lab", "cache");
        var paths = new LabPaths(Path.Combine(directory, "with"));
        Directory.CreateDirectory(cache);
        Directory.CreateDirectory(paths.Root);
        if (!Path.Exists(paths.Cache))
        {
            Directory.CreateSymbolicLink(paths.Cache, cache);
        }

        var steps = new Steps(tell);
        GuestImage image = await GuestImage.Build(cache, steps, cancel);
        await GuestAccelerator.Find(cache, image, cancel);
        return new StartScene(directory, paths, cache, image, steps);
    }

    /// <summary>A machine under Bailiwick.</summary>
    internal Task<GuardedSide> Guarded(CancellationToken cancel) => GuardedSide.Up(_paths, _image, _steps, cancel);

    /// <summary>The same machine without.</summary>
    internal async Task<PlainSide> Plain(GuardedSide guarded, bool isEncrypted, CancellationToken cancel)
    {
        string description = (await guarded.Host.Virsh("dumpxml", "--inactive", guarded.MachineName))
            .Expect("virsh dumpxml", "read the Proxy's log").Output;
        return await PlainSide.Up(
            Path.Combine(_directory, "without"), _cache, description, isEncrypted, _steps, cancel);
    }

    private sealed class Steps(Action<string> tell) : IProgress<LabStep>
    {
        public void Report(LabStep value) => tell($"{value.Place}: {value.Sentence}");
    }
}
