internal import MailDNS
internal import MailSyntax

/// One question to a host or a domain, answered by findings: none where all is well.
struct Check: Sendable {
    /// What it looks at: the beginning of its findings' identifiers, and the identifier of its green line.
    let id: String
    /// What is said where nothing is wrong.
    let fine: String
    /// Whether only mail that is received depends on it.
    let isInbound: Bool
    private let subjects: @Sendable (HostView) -> [String]
    private let examine: @Sendable (HostView, Int) -> [Diagnosis]

    private init(
        id: String, fine: String, isInbound: Bool,
        subjects: @escaping @Sendable (HostView) -> [String],
        examine: @escaping @Sendable (HostView, Int) -> [Diagnosis]
    ) {
        self.id = id
        self.fine = fine
        self.isInbound = isInbound
        self.subjects = subjects
        self.examine = examine
    }

    /// Everything that it has to say; a line for each subject that is fine.
    func findings(_ host: HostView) -> [Diagnosis] {
        subjects(host).enumerated().flatMap { place, subject in
            let found = examine(host, place)
            return found.isEmpty ? [.ok(id, subject, fine)] : found
        }
    }

    /// A check of each domain.
    static func ofDomains(
        _ id: String, fine: String, isInbound: Bool = false,
        _ body:
            @escaping @Sendable (HostView, DNSLookup, DomainName) throws(DNSTrouble) ->
            [Diagnosis]
    ) -> Check {
        Check(
            id: id, fine: fine, isInbound: isInbound,
            subjects: { host in host.dns == nil ? [] : host.domains.map(\.ascii) },
            examine: { host, place in
                guard let dns = host.dns else { return [] }
                return answering(id, host) { () throws(DNSTrouble) in
                    try body(host, dns, host.domains[place])
                }
            })
    }

    /// A check of the host as the DNS shows it.
    static func ofHost(
        _ id: String, fine: String, isInbound: Bool = false,
        _ body: @escaping @Sendable (HostView, DNSLookup) throws(DNSTrouble) -> [Diagnosis]
    ) -> Check {
        Check(
            id: id, fine: fine, isInbound: isInbound,
            subjects: { host in host.dns == nil ? [] : [host.heloName ?? "this host"] },
            examine: { host, _ in
                guard let dns = host.dns else { return [] }
                return answering(id, host) { () throws(DNSTrouble) in try body(host, dns) }
            })
    }

    /// A check of Postfix's configuration; none where there is no Postfix.
    static func ofPostfix(
        _ id: String, fine: String, isInbound: Bool = false,
        _ body: @escaping @Sendable (HostView, PostfixView) -> [Diagnosis]
    ) -> Check {
        Check(
            id: id, fine: fine, isInbound: isInbound,
            subjects: { host in host.postfix == nil ? [] : ["Postfix"] },
            examine: { host, _ in host.postfix.map { body(host, $0) } ?? [] })
    }

    /// A check of the files of the host.
    static func ofFiles(
        _ id: String, _ subject: String, fine: String, isInbound: Bool = false,
        _ body: @escaping @Sendable (HostView, HostFiles) -> [Diagnosis]
    ) -> Check {
        Check(
            id: id, fine: fine, isInbound: isInbound,
            subjects: { host in host.tree == nil ? [] : [subject] },
            examine: { host, _ in host.tree.map { body(host, $0) } ?? [] })
    }

    /// What a body finds, or that a question had no answer.
    ///
    /// A server that was given need not know more than the domains asked about.
    private static func answering(
        _ id: String, _ host: HostView, _ body: () throws(DNSTrouble) -> [Diagnosis]
    ) -> [Diagnosis] {
        do throws(DNSTrouble) {
            return try body()
        } catch {
            let type = error.question.type.mnemonic
            let name = error.question.name
            if host.authoritative == nil,
                !host.domains.contains(where: { name.isEqualOrSubdomain(of: $0) })
            {
                return [
                    .skipped(
                        id, name.ascii,
                        "the server that was given has no answer for \(type): \(error.failure)")
                ]
            }
            return [
                Diagnosis(
                    .answerFailed, name.ascii,
                    "the DNS gives no answer for \(type): \(error.failure)",
                    mend: .words("ask again; if it stays so, look at the zone's name servers"))
            ]
        }
    }
}
