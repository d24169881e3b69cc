internal import MailSyntax

/// The names of a zone and their records, with the look-up of RFC 1034, section 4.3.2.
struct ZoneTree: Sendable {
    /// How many CNAME records are followed for one question.
    static let maximumAliases = 16

    /// What a look-up finds at the end of the CNAME chain.
    enum Result {
        case records([DNSRecord])
        case noData
        case nameError
        case aliasLoop
    }

    /// Every name that exists, empty non-terminals too (RFC 4592, section 2.2.2).
    private var nodes: [DomainName: [RecordType: [DNSRecord]]] = [:]

    /// Adds a record; false if the name would have a CNAME record and another one.
    @discardableResult
    mutating func insert(_ record: ZoneRecord) -> Bool {
        insert(name: record.owner)
        var node = nodes[record.owner] ?? [:]
        // RFC 2181, section 5: a set has no duplicates.
        let isKnown = node[record.type]?.contains(record.data) ?? false
        if !isKnown { node[record.type, default: []].append(record.data) }
        // RFC 2181, section 10.1: an alias has no other data, and no second CNAME.
        if let aliases = node[.cname], node.count > 1 || aliases.count > 1 { return false }
        nodes[record.owner] = node
        return true
    }

    /// Makes a name exist, and with it each name above it.
    mutating func insert(name: DomainName) {
        var next: DomainName? = name
        while let name = next, nodes[name] == nil {
            nodes[name] = [:]
            next = name.parent
        }
    }

    /// Answers a question, following aliases.
    func look(up question: DNSQuestion) -> Result {
        var name = question.name
        for _ in 0...Self.maximumAliases {
            guard let node = node(for: name) else { return .nameError }
            if let records = node[question.type] { return .records(records) }
            guard case .name(let target)? = node[.cname]?.first else { return .noData }
            name = target
        }
        return .aliasLoop
    }

    /// The name's own records or, if the name does not exist, those of the wildcard that covers it.
    private func node(for name: DomainName) -> [RecordType: [DNSRecord]]? {
        if let node = nodes[name] { return node }
        // RFC 4592, section 3.3.1: only the wildcard just below the closest encloser counts.
        var encloser = name.parent
        while let candidate = encloser, nodes[candidate] == nil { encloser = candidate.parent }
        guard let encloser, let wildcard = try? encloser.prepending("*") else { return nil }
        return nodes[wildcard]
    }
}
