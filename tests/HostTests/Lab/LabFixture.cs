using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Lab;

/// <summary>One lab with two hosts for all the tests of the collection.</summary>
public sealed class LabFixture : IAsyncLifetime
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(60);
    private LabDatacentre? _lab;

    public static string Cache => Path.Combine(Path.GetTempPath(), "bailiwick-lab-cache");

    public LabDatacentre Lab => _lab ?? throw new InvalidOperationException("not up");

    public GuestImage Image { get; private set; } = new("", "", "", "");

    public GuestAcceleration Acceleration { get; private set; }

    public static LabOptions Options() =>
        new(Path.Combine(Path.GetTempPath(), $"bailiwick-lab-{Guid.NewGuid():N}")) { CacheDirectory = Cache };

    /// <summary>Ends the labs of test runs that were killed: theirs is a record without a living owner.</summary>
    public static async Task SweepKilledRuns()
    {
        foreach (var directory in Directory.EnumerateDirectories(Path.GetTempPath(), "bailiwick-lab-*"))
        {
            var register = new LabRegister(directory);
            if (!register.Exists || register.Current.Owner != LabOwner.Process)
            {
                continue;
            }

            try
            {
                await LabDatacentre.Down(directory);
                Directory.Delete(directory, recursive: true);
            }
            catch (LabException)
            {
                // Its owner lives.
            }
        }
    }

    public async ValueTask InitializeAsync()
    {
        await SweepKilledRuns();
        Image = await GuestImage.Build(Cache);
        Acceleration = await GuestAccelerator.Find(Cache, Image);
        _lab = await LabDatacentre.Up(Options());
    }

    public async ValueTask DisposeAsync()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
            Directory.Delete(_lab.Options.Directory, recursive: true);
        }
    }

    internal LabGuestXml Guest(string machine, int number) => new(Image, Acceleration, machine, number);

    /// <summary>Starts a guest through virsh and waits for its probe.</summary>
    internal static async Task<ProbeChannel> Start(LabHost host, LabGuestXml guest, string bridge, string? disk = null)
    {
        var file = Path.Combine(host.Directory, guest.Name + ".xml");
        await File.WriteAllTextAsync(file, guest.Write(bridge, disk));
        (await host.Virsh("create", file)).Expect(host.Name, "virsh create");
        return await ProbeChannel.Open(host.PathInside(guest.ProbeSocket), guest.Machine, BootLimit);
    }

    internal static async Task Bridge(LabHost host, string name)
    {
        await host.Must("ip", "link", "add", name, "type", "bridge", "mcast_snooping", "0");
        await host.Must("ip", "link", "set", name, "up");
    }
}
