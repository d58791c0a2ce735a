using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>
/// Turns an authored body into the body to sign: parties' names into ids, files into digests, and the keys added. What
/// comes out is read again as a signed statement would be, so nothing is signed that a verifier would refuse.
/// </summary>
internal static class BodySigner
{
    private static readonly ImmutableArray<string> ImageFiles = ["kernel", "initrd", "firmware", "bootVolume", "disk"];

    /// <summary>Makes the body.</summary>
    public static SignedBody Sign(PolicyDocument authored, SigningMaterial material)
    {
        var document = new PolicyDocument(authored.Origin, authored.Body, material.Parties, authored.Findings);
        var findings = document.Findings.AddRange(BodyReader.Read(document).Findings);
        if (findings.Length > 0 || document.Body is not PolicyNode.Members body)
        {
            return new SignedBody.Unready(findings);
        }

        var missing = new DocumentFindings(document.File);
        var tree = Translate(document, body, material, missing);
        if (missing.Any)
        {
            return new SignedBody.Unready([.. missing.All]);
        }

        var signed = BodyReader.Read(new PolicyDocument(document.Origin, tree, null, []));
        return signed.Model is null
            ? new SignedBody.Unready([.. signed.Findings])
            : new SignedBody.Ready(Canonical(tree));
    }

    private static PolicyNode.Members Translate(
        PolicyDocument document, PolicyNode.Members body, SigningMaterial material, DocumentFindings missing) =>
        document.Origin.Kind switch
        {
            StatementKind.Tenant => Root(body, material, missing, "keyService", "address"),
            StatementKind.Datacentre => Root(
                Mapped(body, "tenants", node => Each(node, item => Party(item, material))), material, missing, "log",
                    "origin"),
            StatementKind.Host => Host(document, body, material, missing),
            StatementKind.Domain => Domain(document, body, material, missing),
            StatementKind.Image => Image(document, body, material, missing),
            StatementKind.Compartment => Mapped(
                body, "disks", list => Each(list, disk => disk is PolicyNode.Members members
                    ? Mapped(members, "volume", node => Reference(node, material)) : disk)),
            StatementKind.Volume or StatementKind.Link => body,
            StatementKind.KeyChange => throw new UnreachableException("people write none"),
            _ => throw new UnreachableException(),
        };

    private static PolicyNode.Members Domain(
        PolicyDocument document, PolicyNode.Members body, SigningMaterial material, DocumentFindings missing)
    {
        body = Mapped(body, "hosts", hosts => hosts is PolicyNode.Members members
            ? Digested(
                document, Mapped(members, "operators", list => Each(list, item => Party(item, material))),
                "/hosts", "vendors", material, missing)
            : hosts);
        body = Mapped(body, "storage", storage => storage is PolicyNode.Members members
            ? Mapped(members, "trustedMedia", list => Each(list, item => Reference(item, material)))
            : storage);
        body = Mapped(body, "information", information => information is PolicyNode.Members members
            ? Mapped(Mapped(Mapped(members, "notTo", References), "keepers", References), "conflicts",
                list => Each(list, one => one is PolicyNode.Members conflict
                    ? Mapped(conflict, "with", References) : one))
            : information);
        return Mapped(body, "flows", flows => flows is PolicyNode.Members members
            ? Mapped(Mapped(Mapped(members, "grants", list => Terms(list, "to", material)), "accepts",
                list => Terms(list, "from", material)), "nat", list => Terms(list, "with", material))
            : flows);

        PolicyNode References(PolicyNode list) => Each(list, item => Reference(item, material));
    }

    private static PolicyNode Terms(PolicyNode list, string peer, SigningMaterial material) => Each(
        list, term => term is PolicyNode.Members members
            ? Mapped(members, peer, node => Reference(node, material)) : term);

    private static PolicyNode.Members Image(
        PolicyDocument document, PolicyNode.Members body, SigningMaterial material, DocumentFindings missing) =>
        ImageFiles.Aggregate(body, (one, member) => Digested(document, one, "", member, material, missing));

    /// <summary>A file that is named becomes the SHA-256 of its content.</summary>
    private static PolicyNode.Members Digested(
        PolicyDocument document, PolicyNode.Members body, string place, string member, SigningMaterial material,
        DocumentFindings missing)
    {
        if (body.Find(member) is not PolicyNode.Members named || named.Find("file") is not PolicyNode.Text file)
        {
            return body;
        }

        if (!material.FileDigests.TryGetValue(file.Value, out var digest))
        {
            string pointer = $"{place}/{member}/file";
            missing.Add(
                FindingCode.MissingFileDigest, document.LineAt(pointer), pointer,
                $"The digest of {Quoted.Of(file.Value)} is not known. Put the file where images lie, or write sha256.");
            return body;
        }

        return body.With(member, new PolicyNode.Members(
            [
                .. named.Entries.Where(one => one.Name != "file"),
                new PolicyMember("sha256", new PolicyNode.Text(digest, file.Line), file.Line),
            ],
            file.Line));
    }

    private static PolicyNode.Members Host(
        PolicyDocument document, PolicyNode.Members body, SigningMaterial material, DocumentFindings missing)
    {
        if (material.EndorsementKeys.TryGetValue(document.Origin.Name.Text, out var endorsement))
        {
            body = body.With("tpm", Members(("ek", new PolicyNode.Text(endorsement, 0))));
        }

        if (material.HostKeys.TryGetValue(document.Origin.Name.Text, out var key))
        {
            return body.With("identityKey", Key(key));
        }

        if (body.Find("identityKey") is null)
        {
            missing.Add(
                FindingCode.MissingKey, document.Origin.Line, "/identityKey",
                $"The identity key of {document.Origin.Name} is not known. Enrol the host first.");
        }

        return body;
    }

    private static PolicyNode.Members Root(
        PolicyNode.Members body, SigningMaterial material, DocumentFindings missing, string service, string place)
    {
        if (material.Root is not { } root)
        {
            missing.Add(FindingCode.MissingKey, body.Line, "/roots",
                "The party's keys are not known. Make them first.");
            return body;
        }

        body = body
            .With("roots", List(root.Roots.Select(key => (PolicyNode)Members(("key", Key(key))))))
            .With("threshold", new PolicyNode.Integer(root.Threshold, 0))
            .With("admins", List(root.Admins.Select(Key)))
            .With("auditors", List(root.Auditors.Select(Key)));
        return root.Service is { } served
            ? body.With(service, Members((place, new PolicyNode.Text(served.Place, 0)), ("key", Key(served.Key))))
            : body;
    }

    private static PolicyNode Party(PolicyNode node, SigningMaterial material) =>
        node is PolicyNode.Text text && material.Parties.Find(text.Value) is { } id
            ? new PolicyNode.Text(id.ToString(), node.Line) : node;

    private static PolicyNode Reference(PolicyNode node, SigningMaterial material) =>
        node is PolicyNode.Text text && text.Value.Split('/') is [var party, var name]
        && material.Parties.Find(party) is { } id
            ? new PolicyNode.Text($"{id}/{name}", node.Line) : node;

    private static PolicyNode.Members Mapped(PolicyNode.Members body, string name, Func<PolicyNode,
        PolicyNode> change) =>
        body.Find(name) is { } value ? body.With(name, change(value)) : body;

    private static PolicyNode Each(PolicyNode list, Func<PolicyNode, PolicyNode> change) =>
        list is PolicyNode.Items items ? new PolicyNode.Items([.. items.Entries.Select(change)], list.Line) : list;

    private static PolicyNode Key(PublicKey key) => new PolicyNode.Text(key.Base64, 0);

    private static PolicyNode.Items List(IEnumerable<PolicyNode> entries) => new([.. entries], 0);

    private static PolicyNode.Members Members(params ReadOnlySpan<(string Name, PolicyNode Value)> entries)
    {
        var members = ImmutableArray.CreateBuilder<PolicyMember>();
        foreach (var (name, value) in entries)
        {
            members.Add(new PolicyMember(name, value, 0));
        }

        return new PolicyNode.Members(members.ToImmutable(), 0);
    }

    private static byte[] Canonical(PolicyNode.Members body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            body.Write(writer);
        }

        return CanonicalJson.Parse(buffer.WrittenSpan) is JsonReading.Understood understood
            ? CanonicalJson.Write(understood.Root)
            : throw new UnreachableException("The limits of policies are within those of signed documents.");
    }
}
