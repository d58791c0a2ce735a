using System.Globalization;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// A way by which what one domain knows comes to another, without any domain between, and what makes it. A closed set.
/// </summary>
/// <remarks>
/// A connection informs both ends: its answers, and be it only their times. What a domain may write is the owner's to
/// read; so it is with a device, which is used by both.
/// </remarks>
public abstract record InformationEdge
{
    private InformationEdge(DomainModel from, DomainModel to) => (From, To) = (from, to);

    /// <summary>The domain that informs.</summary>
    public DomainModel From { get; }

    /// <summary>The domain that is informed.</summary>
    public DomainModel To { get; }

    /// <summary>The statement, of <see cref="From"/>'s owner, that makes it.</summary>
    public virtual StatementOrigin Origin => From.Origin;

    /// <summary>For people, in the words of the statement: who tells whom, by which term.</summary>
    public abstract string Sentence { get; }

    /// <summary>The term of an open flow that <see cref="From"/> states; null where no flow makes it.</summary>
    public virtual FlowSide? Own => null;

    /// <summary>What an open flow lets pass from one of its ends to the other.</summary>
    public abstract record Flow : InformationEdge
    {
        private protected Flow(OpenFlow open, bool isBack)
            : base(
                (isBack ? open.Sides.Accept : open.Sides.Grant).Domain,
                (isBack ? open.Sides.Grant : open.Sides.Accept).Domain) => (Open, IsBack) = (open, isBack);

        /// <summary>The flow.</summary>
        public OpenFlow Open { get; }

        /// <summary>Whether it is the accepting side that informs.</summary>
        public bool IsBack { get; }

        /// <inheritdoc/>
        public override FlowSide Own => IsBack ? Open.Sides.Accept : Open.Sides.Grant;

        private protected string Names(string verb, string what, string towards) =>
            $"{FlowMatrix.Display(From)} {verb} {what} {towards} {FlowMatrix.Display(To)} ({Place(Own.Term)})";
    }

    /// <summary>Packets: questions one way, answers the other.</summary>
    public sealed record Network : Flow
    {
        internal Network(OpenFlow open, FlowResource.Network resource, bool isBack)
            : base(open, isBack) => Resource = resource;

        /// <summary>What passes.</summary>
        public FlowResource.Network Resource { get; }

        /// <inheritdoc/>
        public override string Sentence => IsBack
            ? Names("answers", Words(Resource), "of") : Names("grants", Words(Resource), "to");
    }

    /// <summary>A volume: what its owner lends, or what its borrower writes.</summary>
    public sealed record Volume : Flow
    {
        internal Volume(OpenFlow open, FlowResource.Volume resource, bool isBack)
            : base(open, isBack) => Resource = resource;

        /// <summary>Which, and how.</summary>
        public FlowResource.Volume Resource { get; }

        /// <inheritdoc/>
        public override string Sentence => IsBack
            ? Names("writes", $"volume {Resource.Name}", "of")
            : Names("lends", $"volume {Resource.Name} ({WireText.Of(Resource.Access)})", "to");
    }

    /// <summary>Devices of a kind.</summary>
    public sealed record Device : Flow
    {
        internal Device(OpenFlow open, FlowResource.Device resource, bool isBack)
            : base(open, isBack) => Resource = resource;

        /// <summary>Which kind.</summary>
        public FlowResource.Device Resource { get; }

        /// <inheritdoc/>
        public override string Sentence => IsBack
            ? Names("uses", $"devices ({WireText.Of(Resource.Kind)})", "of")
            : Names("lends", $"devices ({WireText.Of(Resource.Kind)})", "to");
    }

    /// <summary>A machine that is a member of both.</summary>
    public sealed record Machine : InformationEdge
    {
        internal Machine(DomainModel from, DomainModel to, CompartmentModel machine)
            : base(from, to) => Member = machine;

        /// <summary>The machine.</summary>
        public CompartmentModel Member { get; }

        /// <inheritdoc/>
        public override StatementOrigin Origin => Member.Origin;

        /// <inheritdoc/>
        public override string Sentence =>
            $"the machine {Member.Ref.Name} is in {FlowMatrix.Display(From)} and in {FlowMatrix.Display(To)} (nics)";
    }

    /// <summary>The ways that an open flow makes: one, or one in each direction.</summary>
    internal static IEnumerable<InformationEdge> Of(OpenFlow open)
    {
        switch (open.Resource)
        {
            case FlowResource.Network network:
                yield return new Network(open, network, isBack: false);
                yield return new Network(open, network, isBack: true);
                break;
            case FlowResource.Volume volume:
                yield return new Volume(open, volume, isBack: false);
                if (volume.Access != VolumeAccess.Read)
                {
                    yield return new Volume(open, volume, isBack: true);
                }

                break;
            case FlowResource.Device device:
                yield return new Device(open, device, isBack: false);
                yield return new Device(open, device, isBack: true);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary><c>grants[0]</c>.</summary>
    internal static string Place(FlowTerm term) =>
        term.Pointer.Split('/') is [.., var list, var index] ? $"{list}[{index}]" : term.Pointer;

    private static string Words(FlowResource.Network network) => network.Protocol == FlowProtocol.Icmp
        ? WireText.Of(network.Protocol)
        : string.Create(
            CultureInfo.InvariantCulture, $"{WireText.Of(network.Protocol)}/{PortSets.Text(network.Ports)}");
}
