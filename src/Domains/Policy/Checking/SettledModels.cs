using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>What is usable of settled statements, by reference text.</summary>
internal sealed record SettledModels(ImmutableSortedDictionary<string, DomainModel> Domains, Machinery Machinery)
{
    /// <summary>All that a set has, every statement of it judged.</summary>
    public static SettledModels Of(StatementSet statements) => new(
        All<DomainModel>(statements, model => model.Ref.ToString()),
        new Machinery(
            All<CompartmentModel>(statements, model => model.Ref.ToString()),
            All<VolumeModel>(statements, model => model.Ref.ToString()),
            All<ImageModel>(statements, model => model.Ref.ToString())));

    /// <summary>The same with what is judged again.</summary>
    public SettledModels With(StatementSet statements, IEnumerable<Subject> touched)
    {
        var (domains, machines, volumes, images) = (
            Domains.ToBuilder(), Machinery.Compartments.ToBuilder(), Machinery.Volumes.ToBuilder(),
            Machinery.Images.ToBuilder());
        foreach (var subject in touched)
        {
            Set(domains, StatementKind.Domain, statements, subject);
            Set(machines, StatementKind.Compartment, statements, subject);
            Set(volumes, StatementKind.Volume, statements, subject);
            Set(images, StatementKind.Image, statements, subject);
        }

        return new SettledModels(
            domains.ToImmutable(),
            new Machinery(machines.ToImmutable(), volumes.ToImmutable(), images.ToImmutable()));
    }

    private static ImmutableSortedDictionary<string, T> All<T>(StatementSet statements, Func<T, string> name)
        where T : class => statements.Usable<T>().ToImmutableSortedDictionary(
            pair => name(pair.Model), pair => pair.Model, StringComparer.Ordinal);

    private static void Set<T>(
        ImmutableSortedDictionary<string, T>.Builder models, StatementKind kind, StatementSet statements,
        Subject subject) where T : class
    {
        if (subject.Kind != kind)
        {
            return;
        }

        var name = $"{subject.Owner}/{subject.Name}";
        if (statements.Find<T>(subject) is { } model)
        {
            models[name] = model;
        }
        else
        {
            models.Remove(name);
        }
    }
}
