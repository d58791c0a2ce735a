using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Bailiwick.Attestation;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// One wish under consideration, and every reason found against it so far: what is asked for, whoever asks. Who asks
/// is <see cref="RequestCase"/>'s.
/// </summary>
internal sealed class ReleaseCase(CheckedDatacentre datacentre, KeyWish wish, KeyFacts facts, DateTimeOffset now)
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

    /// <summary>What is asked for.</summary>
    public KeyWish Wish => wish;

    /// <summary>What the key service knows of the key by itself.</summary>
    public KeyFacts Facts => facts;

    /// <summary>What the statements say, and the evidence where they demand it of the host.</summary>
    /// <param name="evidence">The evidence by which a domain judges the host; null where none was verified.</param>
    public void CheckStatements(Func<DomainModel, VerifiedEvidence?> evidence)
    {
        CheckTenant();
        var machine = CheckReferences();
        ImmutableArray<DomainModel> domains = machine is null ? [] : CheckDomains(machine);
        CheckHost(machine, domains, evidence);
    }

    /// <summary>What the key service keeps: leases, holders, and what it knows of the key.</summary>
    /// <param name="evidence">The evidence; null when none was verified, and then nothing is released anyway.</param>
    public void CheckKept(VerifiedEvidence? evidence)
    {
        CheckLeases();
        CheckHolders();
        new KeptCase(this).Check(evidence);
    }

    /// <summary>
    /// Evidence for this one request is not enough: the host must be one that keeps proving itself, so that a host that
    /// fell silent or was refused has to come back first.
    /// </summary>
    private void CheckLeases()
    {
        foreach (var domain in Subject?.Domains ?? [])
        {
            if (facts.Doubt(wish.Host, domain.Ref) is { } doubt)
            {
                Add(
                    KeyRefusalCode.NoLease,
                    $"{wish.Host.Name} has no lease for {domain.Origin}: {doubt} It must prove itself first.",
                    domain.Origin);
            }
        }
    }

    /// <summary>
    /// A key is with one machine on one host, or with as many as the volume's statement lets have it. A holder may ask
    /// again for the same; a machine is on one host only, whatever it shares, and while a volume is copied for it, it
    /// has not that volume itself.
    /// </summary>
    private void CheckHolders()
    {
        foreach (KeyHolder held in facts.Holders.All.Where(held => held.Host != wish.Host
            || held.Machine != wish.Compartment || held.IsCopying != wish.Copy is not null))
        {
            string? rule = held.Machine != wish.Compartment && held.Access is { } access
                && Subject?.Use is { } use
                    ? Conflict(use, held, access)
                    : "it is one machine's on one host, for one use.";
            if (rule is not null)
            {
                bool elsewhere = held.Host != wish.Host;
                Add(
                    elsewhere ? KeyRefusalCode.HeldByAnotherHost : KeyRefusalCode.HeldByAnotherMachine,
                    $"{held.Host} holds the key of {wish.Key} for {held.Machine.Name}"
                    + $"{held.Purpose}, and {rule} The host must "
                    + "return it, or root keys of the tenant must approve a takeover.");
            }
        }
    }

    private string? Conflict(KeyUse use, KeyHolder held, VolumeAccess access) =>
        (wish.Copy is not null, held.IsCopying) switch
        {
            (false, false) => SharingRule.Conflict(use.Sharing, use.Access, access),
            (true, _) => SharingRule.ConflictWithCopy(use.Sharing, access),
            (false, true) => SharingRule.ConflictWithCopy(use.Sharing, use.Access),
        };

    private void CheckTenant()
    {
        if (wish.Tenant != facts.Tenant)
        {
            Add(
                KeyRefusalCode.TenantNotServed,
                $"This key service serves the tenant {facts.Tenant.Short}, not {wish.Tenant.Short}.");
        }
        else
        {
            CheckAdmitted(wish.Tenant);
        }

        if (wish.Key.Tenant != wish.Tenant || (wish.Compartment.Tenant != wish.Tenant && !IsBorrowing()))
        {
            Add(
                KeyRefusalCode.ForeignReference,
                $"{wish.Key} and {wish.Compartment} must both be of the tenant {wish.Tenant.Short}, or the "
                + "machine's statement must have a disk on the volume.");
        }
        else if (wish.Compartment.Tenant != wish.Tenant)
        {
            CheckAdmitted(wish.Compartment.Tenant);
        }
    }

    private void CheckAdmitted(PartyId tenant)
    {
        if (!datacentre.Tenants.ContainsKey(tenant.ToString()))
        {
            Add(KeyRefusalCode.UnknownTenant, $"No accepted root statement of {tenant.Short} is known here.");
        }
        else if (datacentre.Datacentre is { } home && !home.Tenants.Contains(tenant))
        {
            Add(
                KeyRefusalCode.TenantNotInDatacentre, $"{home.Origin} does not list the tenant {tenant.Short}.",
                home.Origin);
        }
    }

    /// <summary>
    /// The one way in which a key is for another tenant's machine: that tenant's own signed statement of it names the
    /// volume. Whether the volume is lent to it is judged like for any machine that is no member of its domain.
    /// </summary>
    private bool IsBorrowing() => wish is { Copy: null, Key: KeySubject.Volume { Ref: var volume } }
        && datacentre.Machinery.Compartments.GetValueOrDefault(wish.Compartment.ToString()) is { } machine
        && machine.Disks.Any(disk => disk.Volume == volume);

    private CompartmentModel? CheckReferences()
    {
        var machine = datacentre.Machinery.Compartments.GetValueOrDefault(wish.Compartment.ToString());
        if (machine is null)
        {
            Add(
                KeyRefusalCode.UnknownCompartment,
                $"No accepted statement describes the machine {wish.Compartment}.");
        }

        switch (wish.Key)
        {
            case KeySubject.Volume volume:
                return CheckVolume(volume.Ref, machine) ? machine : null;
            case KeySubject.MachineTpm tpm:
                CheckTpm(tpm.Ref, machine);
                CopyCase.Check(this);
                return machine;
            default:
                throw new UnreachableException();
        }
    }

    private bool CheckVolume(VolumeRef volume, CompartmentModel? machine)
    {
        if (!datacentre.Machinery.Volumes.ContainsKey(volume.ToString()))
        {
            Add(KeyRefusalCode.UnknownVolume, $"No accepted statement describes the volume {volume}.");
            return false;
        }

        VolumeRef named = wish.Copy ?? volume;
        DiskModel? disk = machine?.Disks.FirstOrDefault(one => one.Volume == named);
        if (machine is not null && disk is null)
        {
            Add(
                KeyRefusalCode.VolumeNotAttached,
                $"{machine.Origin} has no disk on the volume {named.Name}.", machine.Origin);
        }

        VolumeModel model = datacentre.Machinery.Volumes[volume.ToString()];
        if (wish.Copy is null && disk is { Access: VolumeAccess.Write } && model.Access == VolumeAccess.Read)
        {
            Add(
                KeyRefusalCode.VolumeReadOnly,
                $"{model.Origin} is only read, and {wish.Compartment.Name} would write it.", model.Origin);
        }

        CopyCase.Check(this);
        return true;
    }

    private void CheckTpm(CompartmentRef owner, CompartmentModel? machine)
    {
        if (owner != wish.Compartment)
        {
            Add(
                KeyRefusalCode.TpmOfAnotherMachine,
                $"The TPM of {owner} is no other machine's, and {wish.Compartment} asks for it.");
        }

        if (machine is { Tpm: not MachineTpm.Required })
        {
            Add(KeyRefusalCode.TpmNotDemanded, $"{machine.Origin} has no TPM of its own.", machine.Origin);
        }
    }

    /// <summary>
    /// The domain that the key is of: a volume's colour, and a machine's first domain for its TPM.
    /// </summary>
    private DomainRef OwnDomain(CompartmentModel machine) => wish.Key switch
    {
        KeySubject.Volume volume => datacentre.Machinery.Volumes[volume.Ref.ToString()].Colour,
        KeySubject.MachineTpm => new DomainRef(machine.Ref.Tenant, machine.Nics[0].Domain),
        _ => throw new UnreachableException(),
    };

    private long RevisionOf(CompartmentModel machine) => wish.Key switch
    {
        KeySubject.Volume volume => datacentre.Machinery.Volumes[volume.Ref.ToString()].Origin.Revision,
        KeySubject.MachineTpm => machine.Origin.Revision,
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// The domains by which the host is judged: of this tenant, those of the machine and the key's own. What another
    /// tenant demands of the host of its own machine its own key service asks.
    /// </summary>
    private ImmutableArray<DomainModel> CheckDomains(CompartmentModel machine)
    {
        var own = OwnDomain(machine);
        var domains = ImmutableArray.CreateBuilder<DomainModel>();
        foreach (var reference in FlowMatrix.Domains(machine)
            .Where(domain => domain.Tenant == wish.Key.Tenant).Append(own).Distinct())
        {
            if (datacentre.Domains.TryGetValue(reference.ToString(), out var domain))
            {
                domains.Add(domain);
            }
            else
            {
                Add(
                    KeyRefusalCode.UnknownDomain,
                    $"No accepted statement describes the domain {reference.Name} of {machine.Origin}.",
                    machine.Origin);
            }
        }

        var colour = domains.FirstOrDefault(domain => domain.Ref == own);
        if (colour is not null)
        {
            Subject = new ReleaseSubject(machine, colour, [.. domains], RevisionOf(machine)) { Use = UseOf(machine) };
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
        // What is copied is read by the host alone: the machine gets the copy.
        if (FlowMatrix.Domains(machine).Contains(colour.Ref) || wish.Key is not KeySubject.Volume { Ref: var asked }
            || machine.Disks.FirstOrDefault(one => one.Volume == (wish.Copy ?? asked)) is not { } disk
            || datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString()) is not { } volume)
        {
            return;
        }

        if (FlowMatrix.Of(datacentre).Lending(volume, machine.Ref, disk.Access) is not { } flow)
        {
            Add(
                KeyRefusalCode.VolumeFlowClosed,
                $"{machine.Origin} is not a member of {colour.Origin}, and no flow opens the volume {disk.Volume.Name} "
                + $"to it to {WireText.Of(disk.Access)}.",
                colour.Origin);
        }
        else if (datacentre.Domains.GetValueOrDefault(flow.To.ToString()) is { } borrower && now >= borrower.Expires)
        {
            Add(
                KeyRefusalCode.DomainExpired,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{borrower.Origin}, which accepts the volume {volume.Ref.Name}, expired at {borrower.Expires:u}."),
                borrower.Origin);
        }
    }

    private KeyUse? UseOf(CompartmentModel machine) => wish.Key is KeySubject.Volume { Ref: var asked }
        && machine.Disks.FirstOrDefault(disk => disk.Volume == (wish.Copy ?? asked)) is { } disk
            ? new KeyUse(
                wish.Copy is null ? disk.Access : VolumeAccess.Read,
                datacentre.Machinery.Volumes[asked.ToString()].Sharing)
            : null;

    private void CheckHost(
        CompartmentModel? machine, ImmutableArray<DomainModel> domains, Func<DomainModel, VerifiedEvidence?> evidence)
    {
        if (!datacentre.Inventory.Hosts.TryGetValue(wish.Host.ToString(), out var host)
            || ReleaseControl.IdentityKeyOf(datacentre, wish.Host) is null)
        {
            Add(
                KeyRefusalCode.UnknownHost,
                $"No accepted statement of an operator gives an identity key for the host {wish.Host}.");
            return;
        }

        foreach (var domain in domains)
        {
            _refusals.AddRange(PlatformCase.Against(domain, host, evidence(domain)));
        }

        if (machine?.Placement.Hosts is { } chosen && !chosen.Contains(host.Ref.Name))
        {
            Add(
                KeyRefusalCode.HostNotChosen,
                $"{machine.Origin} may run on {string.Join(", ", chosen)}, not on {host.Ref.Name}.", machine.Origin);
        }

        if (machine is not null && wish.Key is KeySubject.Volume { Ref: var asked })
        {
            CheckForm(asked, host);
            foreach (var refusal in MountControl.Against(
                datacentre.Machinery.Volumes[asked.ToString()], machine, host.Ref))
            {
                Add(
                    refusal.Code switch
                    {
                        MountRefusalCode.ImageNotAllowed => KeyRefusalCode.VolumeImageNotAllowed,
                        MountRefusalCode.HostNotAllowed => KeyRefusalCode.VolumeHostNotAllowed,
                        _ => throw new UnreachableException(),
                    },
                    refusal.Sentence, refusal.Because);
            }
        }
    }

    /// <summary>
    /// A volume is in clear or has a key, and never the one after the other: what was ciphertext stays closed where its
    /// domain or the medium of a pool comes to say otherwise.
    /// </summary>
    private void CheckForm(VolumeRef volume, HostModel host)
    {
        if (Subject?.Domain is { } colour && StorageForm.Of(colour, host) is { Encrypted: false } form)
        {
            Add(
                KeyRefusalCode.VolumeInClear,
                $"{volume.Name} has no key on {host.Ref.Name}: there it would be {form.Because}"
                + (facts.Colour is null ? "" : " It has a key and is ciphertext: state it so again, or a new volume."),
                colour.Origin);
        }
    }
}

/// <summary>The statements a release is about.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Domain">The volume's domain.</param>
/// <param name="Domains">Every domain whose demands count: the machine's and the volume's.</param>
/// <param name="Revision">Revision of the statement of the volume, or of the machine whose TPM it is.</param>
internal sealed record ReleaseSubject(
    CompartmentModel Machine, DomainModel Domain, ImmutableArray<DomainModel> Domains, long Revision)
{
    /// <summary>What the machine does with the volume; null of a TPM, and of a volume that it has not.</summary>
    public KeyUse? Use { get; init; }

    /// <summary>Where the decision comes from.</summary>
    public ImmutableArray<StatementOrigin> Because =>
        [Machine.Origin, .. Domains.Select(domain => domain.Origin)];
}

/// <summary>What a machine does with a volume, and who else may have it.</summary>
internal sealed record KeyUse(VolumeAccess Access, VolumeSharing Sharing);
