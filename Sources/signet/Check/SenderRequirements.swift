import MailAuth
import MailDNS
import MailSyntax
import Threads

/// Looks for what large receivers ask of senders: SPF and DKIM that are aligned, a policy, an address with a name, and for
/// mail of lists a way to unsubscribe with one click.
struct SenderRequirements {
    let header: HeaderSection
    let resolver: any DNSResolver
    /// What SPF and DKIM have found.
    let identifiers: [DMARCIdentifier]

    /// All requirements that the message is held to.
    func examine(
        dkim: DKIMOutcome, dmarc: DMARCEvaluation, client: IPAddress?
    ) -> [SenderRequirement] {
        [
            alignment(.spf, "SPF", dmarc, isKnown: client != nil),
            alignment(.dkim, "DKIM", dmarc, isKnown: true), policy(dmarc), pointer(client),
            unsubscription(dkim),
        ].compactMap(\.self)
    }

    // MARK: Alignment and policy

    private func alignment(
        _ mechanism: DMARCIdentifier.Mechanism, _ name: String, _ dmarc: DMARCEvaluation,
        isKnown: Bool
    ) -> SenderRequirement {
        let id = "\(name.lowercased()).aligned"
        if dmarc.deciding.map({ isAligned(mechanism, $0) }) == true {
            return SenderRequirement(
                id: id, result: .ok, what: "\(name) passes, aligned with the author's domain")
        }
        guard isKnown else {
            return SenderRequirement(
                id: id, result: .unknown, what: "\(name) needs the client's address")
        }
        let isOpen = identifiers.contains {
            $0.mechanism == mechanism && $0.result == "temperror"
        }
        guard !isOpen else {
            return SenderRequirement(
                id: id, result: .unknown,
                what: "whether \(name) passes is not known: the DNS gave no answer")
        }
        return SenderRequirement(
            id: id, result: .missing,
            what: "\(name) does not pass for a domain that is aligned with the author's")
    }

    /// Whether an aligned domain passes; one without a policy is aligned with itself alone (RFC 9989, section 4.10.2).
    private func isAligned(
        _ mechanism: DMARCIdentifier.Mechanism, _ author: DMARCAuthorEvaluation
    ) -> Bool {
        author.isAligned(mechanism)
            || author.policy == nil
                && identifiers.contains {
                    $0.mechanism == mechanism && $0.result == "pass" && $0.domain == author.domain
                }
    }

    private func policy(_ dmarc: DMARCEvaluation) -> SenderRequirement {
        guard let policy = dmarc.deciding?.policy else {
            let isOpen = dmarc.result == .temperror
            return SenderRequirement(
                id: "dmarc.record", result: isOpen ? .unknown : .missing,
                what: isOpen
                    ? "whether there is a DMARC record is not known: the DNS gave no answer"
                    : "no DMARC record was found for the author's domain")
        }
        return SenderRequirement(
            id: "dmarc.record", result: .ok, what: "\(policy.domain.ascii) has a DMARC record")
    }

    // MARK: The client's name

    /// How many names of an address are looked at.
    private static let mostNames = 10

    /// Whether the client's address has a name that leads back to it.
    private func pointer(_ client: IPAddress?) -> SenderRequirement {
        func found(_ result: SenderRequirement.Result, _ what: String) -> SenderRequirement {
            SenderRequirement(id: "ptr", result: result, what: what)
        }
        guard let client else { return found(.unknown, "PTR needs the client's address") }
        guard let reverse = try? DomainName(client.reverseName),
            let answer = records(reverse, .ptr)
        else { return found(.unknown, "the DNS does not say which name \(client) has") }
        let names = answer.compactMap { record in
            if case .name(let name) = record { name } else { nil }
        }
        guard let first = names.first else { return found(.missing, "\(client) has no PTR record") }
        let type = client.bitWidth == 32 ? RecordType.a : .aaaa
        for name in names.prefix(Self.mostNames) {
            guard let addresses = records(name, type) else {
                return found(.unknown, "the DNS does not say which address \(name.ascii) has")
            }
            if addresses.contains(.address(client)) {
                return found(.ok, "\(client) is \(name.ascii), which leads back to it")
            }
        }
        return found(.missing, "\(client) is \(first.ascii), which does not lead back to it")
    }

    /// The records; none where there are none, nil where the DNS does not say.
    private func records(_ name: DomainName, _ type: RecordType) -> [DNSRecord]? {
        let deadline = MonotonicTime.now() + ResolverOptions.timeout
        switch resolver.resolve(DNSQuestion(name, type), deadline: deadline) {
        case .records(let records, _): return records
        case .noData, .nameError: return []
        case .failure: return nil
        }
    }

    // MARK: Unsubscribing

    private static let unsubscribe: FieldName = "List-Unsubscribe"
    private static let post: FieldName = "List-Unsubscribe-Post"
    private static let marks: [FieldName] = [
        "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    ]

    /// Whether a reader of a list's mail gets off it with one click (RFC 8058, section 3); nil of other mail.
    private func unsubscription(_ dkim: DKIMOutcome) -> SenderRequirement? {
        guard Self.marks.contains(where: { header.count(named: $0) > 0 }) else { return nil }
        func found(_ result: SenderRequirement.Result, _ what: String) -> SenderRequirement {
            SenderRequirement(id: "unsubscribe", result: result, what: what)
        }
        guard let way = text(Self.unsubscribe) else {
            return found(.missing, "it looks like mail of a list, and has no List-Unsubscribe")
        }
        guard way.lowercased().contains("<https://") else {
            return found(.missing, "List-Unsubscribe has no https address")
        }
        guard let post = text(Self.post) else {
            return found(.missing, "there is no List-Unsubscribe-Post, so one click is not enough")
        }
        guard post.lowercased() == "list-unsubscribe=one-click" else {
            return found(.missing, "List-Unsubscribe-Post is not List-Unsubscribe=One-Click")
        }
        let covering = dkim.results.contains { result in
            result.status == .pass && covers(result, [Self.unsubscribe, Self.post])
        }
        return covering
            ? found(.ok, "one click unsubscribes, and a valid signature covers how")
            : found(
                .missing, "no valid signature covers List-Unsubscribe and List-Unsubscribe-Post")
    }

    private func text(_ name: FieldName) -> String? {
        header.indices(named: name).first.map { position in
            String(
                decoding: header.value(of: position).filter { $0 > 0x20 && $0 < 0x7F },
                as: UTF8.self)
        }
    }

    /// Whether a signature's `h=` names these fields.
    private func covers(_ result: DKIMResult, _ names: [FieldName]) -> Bool {
        guard let tags = try? TagList(parsing: header.value(of: result.fieldPosition)),
            let signed = tags.list("h")
        else { return false }
        return names.allSatisfy { name in
            signed.contains { FieldName(String(decoding: $0, as: UTF8.self)) == name }
        }
    }
}
