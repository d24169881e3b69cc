internal import MailSyntax
internal import PostfixConfiguration

/// Where a domain's reports are sent: to an address that exists, or that an alias makes exist.
struct ReportMailbox {
    private let facts: HostFacts
    private var aliases: [UInt8]
    private(set) var notes: [String] = []

    private static let name = "dmarc-reports"
    private static let aliasesPath = "/etc/aliases"

    init(_ facts: HostFacts) {
        self.facts = facts
        aliases = facts.files[Self.aliasesPath]?.contents ?? []
    }

    /// The address for a domain's reports.
    mutating func address(for domain: DomainName) -> String {
        let address = "\(Self.name)@\(domain.ascii)"
        let isLocal = facts.values.list("mydestination").contains {
            $0.lowercased() == domain.ascii
        }
        guard isLocal, facts.files[Self.aliasesPath] != nil,
            facts.values.main.setting("alias_maps")?.value != ""
        else {
            notes.append("make the mailbox or alias \(address): reports are sent there")
            return address
        }
        if facts.accounts[Self.name] == nil, !hasAlias {
            if let last = aliases.last, last != UInt8(ascii: "\n") {
                aliases.append(UInt8(ascii: "\n"))
            }
            aliases += Array("\(Self.name): postmaster\n".utf8)
        }
        return address
    }

    private var hasAlias: Bool {
        String(decoding: aliases, as: UTF8.self).split(whereSeparator: \.isNewline).contains {
            $0.lowercased().hasPrefix("\(Self.name):")
        }
    }

    var changes: [FileChange] {
        facts.change(of: Self.aliasesPath, to: aliases).map { [$0] } ?? []
    }
}
