using System.Collections.Immutable;
using System.Diagnostics;
using System.Numerics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// One thing that a statement demands of the host of a machine, whoever else runs there. A closed set: admission asks
/// each of one host, and who looks for a host that meets all of them asks the same. Two are equal if they are the same
/// demand of the same statement.
/// </summary>
internal abstract record HostTerm
{
    private HostTerm() { }

    /// <summary>The refusal of a host that does not meet it.</summary>
    public abstract AdmissionRefusalCode Code { get; }

    /// <summary>The statement that demands it.</summary>
    public abstract StatementOrigin Because { get; }

    /// <summary>JSON pointer of the member that demands it.</summary>
    public abstract string Pointer { get; }

    /// <summary>What it demands, for people: a clause.</summary>
    public abstract string Demand { get; }

    /// <summary>Whether the host meets it.</summary>
    public abstract bool Holds(HostModel host);

    /// <summary>What decides where it holds: terms of which it is equal hold on the same hosts.</summary>
    public abstract object Measure { get; }

    /// <summary>For people: that and why the host does not meet it.</summary>
    public abstract string Refusal(HostModel host);

    /// <summary>The least change of the statement with which the host would meet it, as an order.</summary>
    public abstract string Change(HostModel host);

    /// <summary>The domain takes the host's operator.</summary>
    public sealed record Operator(DomainModel Domain) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.OperatorNotAccepted;
        public override StatementOrigin Because => Domain.Origin;
        public override string Pointer => "/hosts/operators";
        public override string Demand => $"{Display.Of(Domain)} accepts the operators {List}";
        public override bool Holds(HostModel host) => Takes(Domain, host);
        public static bool Takes(DomainModel domain, HostModel host) =>
            domain.Hosts.Operators.Contains(host.Ref.Operator);
        public override object Measure => "operators " + string.Join(' ', Domain.Hosts.Operators);
        public override string Refusal(HostModel host) =>
            $"{Domain.Origin} accepts the operators {List}; {Display.Of(host)} is run by {host.Origin.OwnerName} "
            + $"({host.Ref.Operator.Short}).";
        public override string Change(HostModel host) =>
            $"let {Display.Of(Domain)} accept the operator {host.Origin.OwnerName}";
        public bool Equals(Operator? other) => other is not null && other.Domain.Ref == Domain.Ref;
        public override int GetHashCode() => Domain.Ref.GetHashCode();
        private string List => Display.List(Domain.Hosts.Operators.Select(id => id.Short));
    }

    /// <summary>The domain takes the level at which the host can prove what it is.</summary>
    public sealed record Assurance(DomainModel Domain) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.AssuranceNotAccepted;
        public override StatementOrigin Because => Domain.Origin;
        public override string Pointer => "/hosts/assurance";
        public override string Demand => $"{Display.Of(Domain)} accepts the assurance levels {List}";
        public override bool Holds(HostModel host) => Takes(Domain, host);
        public static bool Takes(DomainModel domain, HostModel host) =>
            domain.Hosts.Assurance.Contains(host.Assurance);
        public override object Measure => "levels " + List;
        public override string Refusal(HostModel host) =>
            $"{Domain.Origin} accepts the assurance levels {List}; {host.Origin} gives {WireText.Of(host.Assurance)}.";
        public override string Change(HostModel host) =>
            $"let {Display.Of(Domain)} accept the assurance level {WireText.Of(host.Assurance)}";
        public bool Equals(Assurance? other) => other is not null && other.Domain.Ref == Domain.Ref;
        public override int GetHashCode() => Domain.Ref.GetHashCode();
        private string List => Display.List(Domain.Hosts.Assurance.Select(WireText.Of));
    }

    /// <summary>The domain takes the country that the host stands in.</summary>
    public sealed record Country(DomainModel Domain) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.JurisdictionNotAccepted;
        public override StatementOrigin Because => Domain.Origin;
        public override string Pointer => "/hosts/jurisdictions";
        public override string Demand => $"{Display.Of(Domain)} accepts the countries {List}";
        public override bool Holds(HostModel host) => Takes(Domain, host);
        public static bool Takes(DomainModel domain, HostModel host) =>
            domain.Hosts.Jurisdictions.Contains(host.Jurisdiction, StringComparer.Ordinal);
        public override object Measure => "countries " + List;
        public override string Refusal(HostModel host) =>
            $"{Domain.Origin} accepts the countries {List}; {host.Origin} stands in {host.Jurisdiction}.";
        public override string Change(HostModel host) =>
            $"let {Display.Of(Domain)} accept the country {host.Jurisdiction}";
        public bool Equals(Country? other) => other is not null && other.Domain.Ref == Domain.Ref;
        public override int GetHashCode() => Domain.Ref.GetHashCode();
        private string List => Display.List(Domain.Hosts.Jurisdictions);
    }

    /// <summary>The machine's own statement names the host, where it names any.</summary>
    public sealed record Chosen(CompartmentModel Machine) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.HostNotChosen;
        public override StatementOrigin Because => Machine.Origin;
        public override string Pointer => "/placement/hosts";
        public override string Demand => $"{Display.Of(Machine)} may run on {List}";
        public override bool Holds(HostModel host) =>
            Machine.Placement.Hosts is not { } chosen || chosen.Contains(host.Ref.Name);
        public override object Measure => Machine.Placement.Hosts is null ? "anywhere" : "on " + List;
        public override string Refusal(HostModel host) =>
            $"{Machine.Origin} may run on {List}, not on {Display.Of(host)}.";
        public override string Change(HostModel host) => $"let {Display.Of(Machine)} run on {host.Ref.Name}";
        public bool Equals(Chosen? other) => other is not null && other.Machine.Ref == Machine.Ref;
        public override int GetHashCode() => Machine.Ref.GetHashCode();
        private string List => Display.List(Machine.Placement.Hosts ?? []);
    }

    /// <summary>The volume's statement lets the machine's image open it. It is the same on every host.</summary>
    public sealed record MountImage(VolumeModel Volume, CompartmentModel Machine) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.VolumeImageNotAllowed;
        public override StatementOrigin Because => Volume.Origin;
        public override string Pointer => "/mount/images";
        public override string Demand =>
            $"{Display.Of(Volume)} is opened for machines that start from {List} of its owner, and "
            + $"{Display.Of(Machine)} starts from {Machine.Image}";
        public override bool Holds(HostModel host) => MountControl.TakesImage(Volume, Machine);
        public override object Measure => this;
        public override string Refusal(HostModel host) => MountControl.ImageSentence(Volume, Machine);
        public override string Change(HostModel host) => AnyChange;
        /// <summary>The least change, the same for every host.</summary>
        public string AnyChange => Machine.Ref.Tenant == Volume.Ref.Tenant
            ? $"let {Display.Of(Volume)} be opened for {Machine.Image}"
            : $"let {Display.Of(Volume)} be opened for any image";
        public bool Equals(MountImage? other) => other is not null && other.Volume.Ref == Volume.Ref
            && other.Machine.Image == Machine.Image && other.Machine.Ref.Tenant == Machine.Ref.Tenant;
        public override int GetHashCode() => Volume.Ref.GetHashCode();
        private string List => Display.List(Volume.Mount?.Images ?? []);
    }

    /// <summary>The volume's statement lets the host open it.</summary>
    public sealed record MountHost(VolumeModel Volume) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.VolumeHostNotAllowed;
        public override StatementOrigin Because => Volume.Origin;
        public override string Pointer => "/mount/hosts";
        public override string Demand =>
            $"{Display.Of(Volume)} is opened on {Display.List(Volume.Mount?.Hosts ?? [])}";
        public override bool Holds(HostModel host) => MountControl.TakesHost(Volume, host.Ref);
        public override object Measure => Volume.Mount?.Hosts is { } hosts ? "on " + Display.List(hosts) : "anywhere";
        public override string Refusal(HostModel host) => MountControl.HostSentence(Volume, host.Ref);
        public override string Change(HostModel host) => $"let {Display.Of(Volume)} be opened on {host.Ref.Name}";
        public bool Equals(MountHost? other) => other is not null && other.Volume.Ref == Volume.Ref;
        public override int GetHashCode() => Volume.Ref.GetHashCode();
    }

    /// <summary>The host, empty as it is, has room for a machine, or for several that must be together.</summary>
    public sealed record Room(ImmutableArray<CompartmentModel> Machines, HostResource Resource) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.HostFull;
        public override StatementOrigin Because => Machines[0].Origin;
        public override string Pointer => Resource switch
        {
            HostResource.Cpus => "/cpus",
            HostResource.Memory => "/memoryMiB",
            _ => throw new UnreachableException(),
        };
        public override string Demand => Machines.Length == 1
            ? $"{Who} needs {Text(Needed)}" : $"{Who} need {Text(Needed)} together";
        public override bool Holds(HostModel host) => Needed <= Offered(host);
        public override object Measure => (Resource, Needed);
        public override string Refusal(HostModel host) => $"{Demand}; {host.Origin} offers {Text(Offered(host))}.";
        public override string Change(HostModel host) => $"let {Who} need no more than {Text(Offered(host))}";
        public bool Equals(Room? other) => other is not null && other.Resource == Resource
            && Machines.Select(one => one.Ref).SequenceEqual(other.Machines.Select(one => one.Ref));
        public override int GetHashCode() => Machines[0].Ref.GetHashCode();
        private string Who => Display.List(Machines.Select(Display.Of));
        private long Needed { get; } = Machines.Sum(machine => Capacity.Of(Capacity.Needed(machine), Resource));
        private long Offered(HostModel host) => Capacity.Of(Capacity.Whole(host), Resource);
        private string Text(long amount) => Resource switch
        {
            HostResource.Cpus => $"{amount} cpus",
            HostResource.Memory => $"{amount} MiB",
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>What is kept on hosts for other domains is left, though nobody has used any of it yet.</summary>
    public sealed record Reserved(AdmissionCase Admission, ReservedRoom Kept) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.HostFull;
        public override StatementOrigin Because => Admission.Machine.Origin;
        public override string Pointer => "";
        public override string Demand => $"{Display.Of(Admission.Machine)} needs {Text(Needed)}, beside what is "
            + "reserved for other domains";
        public override bool Holds(HostModel host) => Kept.Leaves(host, Admission.Domains, Needed);
        /// <summary>The hosts that do not hold it, as bits.</summary>
        public BigInteger Without => Kept.Without(Admission.Domains, Needed);
        public override object Measure => this;
        public override string Refusal(HostModel host) => $"{Demand}; on {host.Origin} that leaves it {Left(host)}.";
        public override string Change(HostModel host) =>
            $"let {Display.Of(Admission.Machine)} need no more than {Left(host)}, or let others reserve less";
        public bool Equals(Reserved? other) =>
            other is not null && other.Admission.Machine.Ref == Admission.Machine.Ref;
        public override int GetHashCode() => Admission.Machine.Ref.GetHashCode();
        private Domains.Admission.Room Needed => Capacity.Needed(Admission.Machine);
        private string Left(HostModel host) => Text(Kept.Left(host, Admission.Domains));
        private static string Text(Domains.Admission.Room room) => $"{room.Cpus} cpus and {room.MemoryMib} MiB";
    }

    /// <summary>The host's uplink, as yet nobody's, keeps what the machine's domains reserve.</summary>
    public sealed record Uplink(AdmissionCase Admission) : HostTerm
    {
        public override AdmissionRefusalCode Code => AdmissionRefusalCode.UplinkFull;
        public override StatementOrigin Because => Most.Origin;
        public override string Pointer => "/bandwidth/reserveMbit";
        public override string Demand => $"{Display.Of(Most)} reserves {Share(Most)} Mbit/s of an uplink";
        public override bool Holds(HostModel host) => Keeping(host) is null;
        public override object Measure => this;
        public override string Refusal(HostModel host) => Keeping(host) ?? "";
        public override string Change(HostModel host) =>
            $"let {Display.Of(Most)} reserve no more than an equal part of the uplink of {host.Ref.Name}";
        public bool Equals(Uplink? other) =>
            other is not null && other.Admission.Domains.SequenceEqual(Admission.Domains);
        public override int GetHashCode() => Most.Ref.GetHashCode();
        private DomainModel Most => Admission.Domains.MaxBy(Share) ?? Admission.Domains[0];
        private static int Share(DomainModel domain) => domain.Bandwidth?.ReserveMbit ?? 0;
        private string? Keeping(HostModel host) =>
            UplinkRoom.Of(Admission with { Host = host }, []) is { Keeping: UplinkKeeping.Nothing, Refusal: { } full }
                ? full.Sentence : null;
    }

    /// <summary>What each of a machine's domains, its lenders, itself and its volumes demand of a host.</summary>
    public static IEnumerable<HostTerm> Of(AdmissionCase admission)
    {
        // Who lends a volume has a say in where it is opened.
        foreach (var term in admission.Domains.Concat(admission.Lenders).SelectMany(domain => Of(domain)))
        {
            yield return term;
        }

        yield return new Chosen(admission.Machine);
        foreach (var disk in admission.Machine.Disks)
        {
            if (admission.Ground.Datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString()) is
                { Mount: not null } volume)
            {
                yield return new MountImage(volume, admission.Machine);
                yield return new MountHost(volume);
            }
        }
    }

    /// <summary>What a domain demands of a host.</summary>
    public static ImmutableArray<HostTerm> Of(DomainModel domain) =>
        [new Operator(domain), new Assurance(domain), new Country(domain)];
}
