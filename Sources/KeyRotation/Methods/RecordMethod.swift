package import MailSyntax

/// A TXT record that publishes a key.
package struct KeyPublicationRecord: Hashable, Sendable {
    /// Its name: `SELECTOR._domainkey.DOMAIN`.
    package let name: DomainName
    /// The domain that the key signs for.
    package let domain: DomainName
    /// Its value, unquoted, on one line.
    package let value: String
    /// Its TTL in seconds.
    package let ttl: Int64

    /// Describes a record.
    package init(name: DomainName, domain: DomainName, value: String, ttl: Int64) {
        self.name = name
        self.domain = domain
        self.value = value
        self.ttl = ttl
    }

    /// The value as character strings of 255 octets at most (RFC 1035, section 3.3), each in quotes.
    ///
    /// Values are made here: letters, digits and `+/=;` alone, so that nothing needs an escape.
    var quotedStrings: String {
        var strings: [String] = []
        var rest = value[...]
        repeat {
            strings.append("\"\(rest.prefix(250))\"")
            rest = rest.dropFirst(250)
        } while !rest.isEmpty
        return strings.joined(separator: " ")
    }
}

/// How records get into the DNS and out of it.
///
/// Both may be done again after a kill, with the same outcome.
package protocol RecordMethod: Sendable {
    /// Makes the record the only TXT record of its name.
    func present(_ record: KeyPublicationRecord) throws(MethodFailure)
    /// Takes the TXT record of the name away.
    func cleanup(_ record: KeyPublicationRecord) throws(MethodFailure)
}

/// Why a record could not be changed.
package struct MethodFailure: Error, Hashable, CustomStringConvertible {
    /// The reason, with what the program said.
    package let description: String

    /// Gives a reason.
    package init(_ description: String) {
        self.description = description
    }
}

/// Shows a person what to do, and leaves it at that.
package struct ShowMethod: RecordMethod {
    private let show: @Sendable (String) -> Void

    /// Shows by a function that takes one line.
    package init(show: @escaping @Sendable (String) -> Void) {
        self.show = show
    }

    package func present(_ record: KeyPublicationRecord) {
        show("publish at \(record.name.ascii) (TXT, TTL \(record.ttl)), in the place of any other:")
        show("  \(record.value)")
    }

    package func cleanup(_ record: KeyPublicationRecord) {
        show("remove the TXT record at \(record.name.ascii)")
    }
}

/// Changes records in a zone of ours, to which the owner of the domain has pointed CNAMEs once.
package struct AliasMethod: RecordMethod {
    private let zone: DomainName
    private let inner: any RecordMethod

    /// Publishes below a zone, by another method.
    package init(zone: DomainName, inner: any RecordMethod) {
        self.zone = zone
        self.inner = inner
    }

    package func present(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try inner.present(try moved(record))
    }

    package func cleanup(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try inner.cleanup(try moved(record))
    }

    private func moved(
        _ record: KeyPublicationRecord
    ) throws(MethodFailure) -> KeyPublicationRecord {
        guard let name = try? record.name.below(zone) else {
            throw MethodFailure("\(record.name).\(zone) is too long for a name")
        }
        return KeyPublicationRecord(
            name: name, domain: zone, value: record.value, ttl: record.ttl)
    }
}
