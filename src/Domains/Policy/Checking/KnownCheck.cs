using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>What a check leaves for the one after it.</summary>
/// <param name="Chosen">The operator that was chosen.</param>
/// <param name="Statements">What statements are before flows and sums are looked at.</param>
/// <param name="Inventory">The operator's part.</param>
/// <param name="Models">What is usable of the statements.</param>
/// <param name="Machines">The names of devices that are derived from machines' names.</param>
/// <param name="Register">The machines that flows and others have a say in.</param>
/// <param name="Unjoined">Machines that flows and derived names then left out.</param>
/// <param name="Notes">What was found of domains by flows and sums.</param>
internal sealed record KnownCheck(
    PartyId? Chosen, SettledStatements Statements, CheckedInventory Inventory, SettledModels Models,
    DeviceNames Machines, MachineRegister Register, ImmutableHashSet<CompartmentRef> Unjoined, DomainNotes Notes);
