package import MailDNS
internal import MailSyntax
package import Threads

/// A question without an answer, which ends a check: nothing can be said for now.
package struct DNSTrouble: Error, Hashable {
    let question: DNSQuestion
    let failure: DNSFailure
}

/// Asks the DNS for what checks want to know.
package struct DNSLookup: Sendable {
    /// Answers the questions.
    let resolver: any DNSResolver
    /// The clock for deadlines, and for engines that want the time.
    let time: TimeSource
    /// How long one answer may take, in seconds.
    let seconds: Double

    /// Asks a resolver.
    package init(_ resolver: any DNSResolver, time: TimeSource, seconds: Double = 10) {
        self.resolver = resolver
        self.time = time
        self.seconds = seconds
    }

    /// When a question that is asked now is given up.
    var deadline: MonotonicTime { time.now() + seconds }

    /// The records of a type; none where the name or the type does not exist.
    func records(
        _ name: DomainName, _ type: RecordType
    ) throws(DNSTrouble) -> [DNSRecord] {
        let question = DNSQuestion(name, type)
        switch resolver.resolve(question, deadline: deadline) {
        case .records(let records, _): return records
        case .noData, .nameError: return []
        case .failure(let failure): throw DNSTrouble(question: question, failure: failure)
        }
    }

    /// The TXT records of a name, each as its character strings.
    func texts(_ name: DomainName) throws(DNSTrouble) -> [[[UInt8]]] {
        try records(name, .txt).compactMap { record in
            if case .text(let strings) = record { strings } else { nil }
        }
    }

    /// The addresses of a name, IPv4 before IPv6, each once.
    func addresses(_ name: DomainName) throws(DNSTrouble) -> [IPAddress] {
        var found: [IPAddress] = []
        for type in [RecordType.a, .aaaa] {
            for case .address(let address) in try records(name, type) where !found.contains(address)
            {
                found.append(address)
            }
        }
        return found
    }

    /// The names that records of a type point to.
    func names(_ name: DomainName, _ type: RecordType) throws(DNSTrouble) -> [DomainName] {
        try records(name, type).compactMap { record in
            if case .name(let target) = record { target } else { nil }
        }
    }

    /// The name that a name stands for by a CNAME record; nil where it has none.
    func alias(_ name: DomainName) throws(DNSTrouble) -> DomainName? {
        try names(name, .cname).first
    }

    /// The mail exchangers of a domain, by preference.
    func exchangers(
        _ domain: DomainName
    ) throws(DNSTrouble) -> [(preference: UInt16, exchange: DomainName)] {
        var found: [(preference: UInt16, exchange: DomainName)] = []
        for case .mx(let preference, let exchange) in try records(domain, .mx) {
            found.append((preference, exchange))
        }
        return found.sorted { ($0.preference, $0.exchange) < ($1.preference, $1.exchange) }
    }
}

extension ZoneRecord {
    /// A TXT record whose strings have at most 255 octets (RFC 1035, section 3.3).
    static func text(_ owner: DomainName, _ text: String) -> ZoneRecord {
        var rest = Array(text.utf8)[...]
        var strings: [[UInt8]] = []
        repeat {
            strings.append(Array(rest.prefix(255)))
            rest = rest.dropFirst(255)
        } while !rest.isEmpty
        return ZoneRecord(owner, .txt, .text(strings))
    }

    /// The TXT records of a name as records.
    static func texts(_ owner: DomainName, _ texts: [[[UInt8]]]) -> [ZoneRecord] {
        texts.map { ZoneRecord(owner, .txt, .text($0)) }
    }
}
