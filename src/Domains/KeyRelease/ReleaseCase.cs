using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Bailiwick.Attestation;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>One request under consideration, and every reason found against it so far.</summary>
internal sealed class ReleaseCase(
    CheckedDatacentre datacentre, ReleaseRequest request, KeyCustody custody, DateTimeOffset now)
{
    private readonly List<KeyRefusal> _refusals = [];

    /// <summary>The policies and the inventory.</summary>
    public CheckedDatacentre Datacentre => datacentre;

    /// <summary>The reasons, in the order of the checks.</summary>
    public IReadOnlyList<KeyRefusal> Refusals => _refusals;

    /// <summary>The statements the release is about; null when one of them is missing.</summary>
    public ReleaseSubject? Subject { get; private set; }

    public void Add(KeyRefusalCode code, string sentence, StatementOrigin? because = null) =>
        _refusals.Add(new KeyRefusal(code, sentence, because));

    /// <summary>All checks but those of the evidence and the holder.</summary>
    /// <param name="evidence">The evidence; null when none was verified.</param>
    public void Check(VerifiedEvidence? evidence)
    {
        CheckTenant();
        var machine = CheckReferences();
        ImmutableArray<DomainModel> domains = machine is null ? [] : CheckDomains(machine);
        CheckHost(machine, domains, evidence);
        CheckRequest();
        CheckNonce();
    }

    /// <summary>
    /// Evidence for this one request is not enough: the host must be one that keeps proving itself, so that a host that
    /// fell silent or was refused has to come back first.
    /// </summary>
    public void CheckLeases()
    {
        foreach (var domain in Subject?.Domains ?? [])
        {
            if (custody.Doubt(request.Host, domain.Ref) is { } doubt)
            {
                Add(
                    KeyRefusalCode.NoLease,
                    $"{request.Host.Name} has no lease for {domain.Origin}: {doubt} It must prove itself first.",
                    domain.Origin);
            }
        }
    }

    /// <summary>One host at a time has a volume's key; the holder itself may ask again.</summary>
    public void CheckHolder()
    {
        if (custody.Holder is HolderState.Held held && held.Host != request.Host)
        {
            Add(
                KeyRefusalCode.HeldByAnotherHost,
                $"{held.Host} holds the key of {request.Volume}. It must return it, or root keys of the tenant must "
                + "approve a takeover.");
        }
    }

    private void CheckTenant()
    {
        if (request.Tenant != custody.Tenant)
        {
            Add(
                KeyRefusalCode.TenantNotServed,
                $"This key service serves the tenant {custody.Tenant.Short}, not {request.Tenant.Short}.");
        }
        else if (!datacentre.Tenants.ContainsKey(request.Tenant.ToString()))
        {
            Add(KeyRefusalCode.UnknownTenant, $"No accepted root statement of {request.Tenant.Short} is known here.");
        }
        else if (datacentre.Datacentre is { } home && !home.Tenants.Contains(request.Tenant))
        {
            Add(
                KeyRefusalCode.TenantNotInDatacentre,
                $"{home.Origin} does not list the tenant {request.Tenant.Short}.", home.Origin);
        }

        if (request.Volume.Tenant != request.Tenant || request.Compartment.Tenant != request.Tenant)
        {
            Add(
                KeyRefusalCode.ForeignReference,
                $"{request.Volume} and {request.Compartment} must both be of the tenant {request.Tenant.Short}.");
        }
    }

    private CompartmentModel? CheckReferences()
    {
        var volume = datacentre.Machinery.Volumes.GetValueOrDefault(request.Volume.ToString());
        var machine = datacentre.Machinery.Compartments.GetValueOrDefault(request.Compartment.ToString());
        if (volume is null)
        {
            Add(KeyRefusalCode.UnknownVolume, $"No accepted statement describes the volume {request.Volume}.");
        }

        if (machine is null)
        {
            Add(
                KeyRefusalCode.UnknownCompartment,
                $"No accepted statement describes the machine {request.Compartment}.");
        }
        else if (volume is not null && machine.Disks.All(disk => disk.Volume != request.Volume.Name))
        {
            Add(
                KeyRefusalCode.VolumeNotAttached,
                $"{machine.Origin} has no disk on the volume {request.Volume.Name}.", machine.Origin);
        }

        return volume is null ? null : machine;
    }

    private ImmutableArray<DomainModel> CheckDomains(CompartmentModel machine)
    {
        var colourName = datacentre.Machinery.Volumes[request.Volume.ToString()].Domain;
        var domains = ImmutableArray.CreateBuilder<DomainModel>();
        foreach (var name in machine.Nics.Select(nic => nic.Domain).Append(colourName).Distinct())
        {
            if (datacentre.Domains.TryGetValue(new DomainRef(request.Volume.Tenant, name).ToString(), out var domain))
            {
                domains.Add(domain);
            }
            else
            {
                Add(
                    KeyRefusalCode.UnknownDomain,
                    $"No accepted statement describes the domain {name} of {machine.Origin}.", machine.Origin);
            }
        }

        var colour = domains.FirstOrDefault(domain => domain.Ref.Name == colourName);
        if (colour is not null)
        {
            Subject = new ReleaseSubject(machine, colour, [.. domains]);
            CheckFlow(machine, colour);
        }

        foreach (var domain in domains.Where(domain => now >= domain.Expires))
        {
            Add(
                KeyRefusalCode.DomainExpired,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{domain.Origin} expired at {domain.Expires:u}; it is {now:u}. Sign a new revision."),
                domain.Origin);
        }

        return domains.ToImmutable();
    }

    private void CheckFlow(CompartmentModel machine, DomainModel colour)
    {
        bool isMember = machine.Nics.Any(nic => nic.Domain == colour.Ref.Name);
        var disk = machine.Disks.FirstOrDefault(disk => disk.Volume == request.Volume.Name);
        if (isMember || disk is null)
        {
            return;
        }

        var volume = datacentre.Machinery.Volumes[request.Volume.ToString()];
        if (FlowMatrix.Of(datacentre).Lending(volume, machine.Ref, disk.Access) is null)
        {
            Add(
                KeyRefusalCode.VolumeFlowClosed,
                $"{machine.Origin} is not a member of {colour.Origin}, and no flow opens the volume to it.",
                colour.Origin);
        }
    }

    private void CheckHost(CompartmentModel? machine, ImmutableArray<DomainModel> domains, VerifiedEvidence? evidence)
    {
        if (!datacentre.Inventory.Hosts.TryGetValue(request.Host.ToString(), out var host)
            || ReleaseControl.IdentityKeyOf(datacentre, request.Host) is null)
        {
            Add(
                KeyRefusalCode.UnknownHost,
                $"No accepted statement of an operator gives an identity key for the host {request.Host}.");
            return;
        }

        foreach (var domain in domains)
        {
            _refusals.AddRange(PlatformCase.Against(domain, host, evidence));
        }

        if (machine?.Placement.Hosts is { } chosen && !chosen.Contains(host.Ref.Name))
        {
            Add(
                KeyRefusalCode.HostNotChosen,
                $"{machine.Origin} may run on {string.Join(", ", chosen)}, not on {host.Ref.Name}.", machine.Origin);
        }
    }

    private void CheckRequest()
    {
        if (ReleaseControl.IdentityKeyOf(datacentre, request.Host) is not { } key)
        {
            return;
        }

        if (request.Document.Signers(id => id == key.Id ? key : null) is SignatureVerdict.Refused refused)
        {
            Add(
                KeyRefusalCode.RequestSignature,
                $"The operator states the identity key {key.Id.Short} for {request.Host}, but {refused.Clause}.");
        }

        if (key.Id != custody.Caller)
        {
            Add(
                KeyRefusalCode.CallerNotHost,
                $"The caller's key {custody.Caller.Short} is not that of {request.Host}.");
        }
    }

    private void CheckNonce()
    {
        (KeyRefusalCode Code, string Sentence)? fault = custody.Nonce switch
        {
            NonceStanding.Good => null,
            NonceStanding.Unknown => (KeyRefusalCode.NonceUnknown, "This key service did not give this nonce."),
            NonceStanding.Used => (KeyRefusalCode.NonceUsed, "The nonce was used before."),
            NonceStanding.Expired => (KeyRefusalCode.NonceExpired, "The nonce has expired."),
            NonceStanding.OfAnotherCaller =>
                (KeyRefusalCode.NonceOfAnotherCaller, "The nonce was given to another caller."),
            _ => throw new UnreachableException(),
        };
        if (fault is var (code, sentence))
        {
            Add(code, sentence + " Ask for a new nonce.");
        }
    }
}

/// <summary>The statements a release is about.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Domain">The volume's domain.</param>
/// <param name="Domains">Every domain whose demands count: the machine's and the volume's.</param>
internal sealed record ReleaseSubject(
    CompartmentModel Machine, DomainModel Domain, ImmutableArray<DomainModel> Domains)
{
    /// <summary>Where the decision comes from.</summary>
    public ImmutableArray<StatementOrigin> Because =>
        [Machine.Origin, .. Domains.Select(domain => domain.Origin)];
}
