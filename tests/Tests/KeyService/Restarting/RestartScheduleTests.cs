using System.Security.Cryptography;
using Bailiwick.KeyService.Custody;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Restarting;

/// <summary>
/// Two hosts get a key under restart leases, restart by it, lose messages, start anew; the owner withdraws and takes
/// over, and the key service starts anew; in any order. At each step no host but the holder can open the key.
/// </summary>
public sealed class RestartScheduleTests
{
    private const int Steps = 400;
    private static readonly string Key = $"{ReleaseScene.Bank}/web-1-data";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public void Whatever_happens_no_host_but_the_holder_can_open_the_key_without_asking(int seed)
    {
        Schedule schedule = new(new Random(seed));
        using (schedule.Bench)
        {
            for (int step = 0; step < Steps; step++)
            {
                schedule.Step();
                string? holder = schedule.Bench.Vault.HoldersOf(Key).SingleOrDefault()?.Host;
                for (int host = 0; host < 2; host++)
                {
                    Assert.True(
                        !schedule.MayOpen(host) || holder == ReleaseScene.HostName(host + 1),
                        $"seed {seed}, step {step}: host {host + 1} may open, and {holder ?? "nobody"} holds");
                }
            }
        }

        Assert.InRange(schedule.Reopened, 1, Steps);
        Assert.InRange(schedule.TakenOver, 1, Steps);
        Assert.InRange(schedule.Waited, 1, Steps);
    }

    private sealed class Schedule(Random random)
    {
        private readonly List<(string Nonce, double Until)>[] _kept = [[], []];
        private readonly List<(int Host, string[] Kept, double At)> _late = [];
        private double _now;

        public DeskBench Bench { get; } = new();

        public int Reopened { get; private set; }

        public int TakenOver { get; private set; }

        public int Waited { get; private set; }

        public bool MayOpen(int host) => _kept[host].Any(one => _now < one.Until);

        public void Step()
        {
            int host = random.Next(2);
            switch (random.Next(11))
            {
                case 0 or 1:
                    double seconds = random.Next(4) switch { 0 => 4000, 1 => 61, 2 => 30, _ => 3 };
                    _now += seconds;
                    Bench.Clock.Move(seconds);
                    break;
                case 2 or 3:
                    Release(host);
                    break;
                case 4 or 5:
                    _late.Add((host, [.. _kept[host].Select(one => one.Nonce)], _now));
                    Deliver(random.Next(_late.Count));
                    break;
                case 6:
                    Return(host);
                    break;
                case 7 or 8:
                    TakeOver();
                    break;
                case 9:
                    StartAnew(host);
                    break;
                default:
                    Reopened += MayOpen(host) ? 1 : 0;
                    break;
            }
        }

        private void Release(int host)
        {
            VaultHolder? holder = Bench.Vault.HoldersOf(Key).SingleOrDefault();
            string name = ReleaseScene.HostName(host + 1);
            if ((holder is not null && holder.Host != name) || Bench.Restarts.WithdrawnAt(Key) is not null)
            {
                return;
            }

            double asked = _now;
            if (random.Next(4) == 0)
            {
                _now += 20;
                Bench.Clock.Move(20);
            }

            VaultHolder now = new(name, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)))
            {
                Compartment = $"{ReleaseScene.Bank}/web-1", Access = "write",
            };
            Bench.Restarts.Grant(Key, $"{ReleaseScene.Bank}/web-1", now, TimeSpan.FromHours(1));
            Bench.Vault.Release(new KeyGrant(Key, DeskBench.Web.ToString(), now), _ => 0);
            if (random.Next(3) > 0)
            {
                // It came; an answer that is lost leaves the host what it had.
                _kept[host].Clear();
                _kept[host].Add((now.Nonce, asked + 3600));
            }
        }

        /// <summary>A question may be on its way as long as its nonce is good; its answer may be lost.</summary>
        private void Deliver(int which)
        {
            var (host, kept, at) = _late[which];
            if (random.Next(3) == 0)
            {
                return;
            }

            _late.RemoveAt(which);
            if (_now - at > 60)
            {
                return;
            }

            var words = Bench.Leasing.Restarts.Heard(ReleaseScene.HostOf(host + 1), [.. kept]);
            if (random.Next(4) > 0)
            {
                _kept[host].RemoveAll(one => kept.Contains(one.Nonce)
                    && words.FirstOrDefault(word => word.Nonce == one.Nonce) is not { Against: "" });
            }
        }

        private void Return(int host)
        {
            _kept[host].Clear();
            if (Bench.Vault.HoldersOf(Key).SingleOrDefault() is { } holder
                && holder.Host == ReleaseScene.HostName(host + 1) && random.Next(3) > 0)
            {
                Bench.Vault.Clear(Key, holder, ClearCause.Returned, new string('0', 64), "");
            }
        }

        private void TakeOver()
        {
            if (random.Next(4) == 0)
            {
                _ = Bench.Restarts.WithdrawnAt(Key) is null ? Bench.Restarts.Withdraw(Key) : Bench.Restarts.Allow(Key);
            }
            else if (Bench.Vault.HoldersOf(Key).SingleOrDefault() is { } holder)
            {
                if (Bench.Restarts.UntilOf(Key, holder.Host) is null)
                {
                    Bench.Vault.Clear(Key, holder, ClearCause.TakenOver, new string('0', 64), "");
                    TakenOver++;
                }
                else
                {
                    Waited++;
                }
            }
        }

        private void StartAnew(int host)
        {
            if (random.Next(2) == 0)
            {
                Bench.Restart();
            }
            else
            {
                _kept[host].Clear();
            }
        }
    }
}
