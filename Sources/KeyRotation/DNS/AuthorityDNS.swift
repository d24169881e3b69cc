package import MailDNS
package import MailSyntax

/// Who asks the authoritative servers of a name, each by itself.
///
/// A protocol, so that tests answer instead.
package protocol AuthorityDNS: Sendable {
    /// What each authoritative server shows at a name now.
    func sight(_ name: DomainName) -> RecordSighting
}

/// What the authoritative servers show at a name.
package struct RecordSighting: Hashable, Sendable {
    /// What one address of a server says.
    package enum Answer: Hashable, Sendable {
        /// Its TXT records, and their TTL in seconds.
        case texts([[UInt8]], ttl: Int64)
        /// That there are none.
        case none
        /// Nothing that could be used; the reason.
        case silent(String)
        /// This host has no way to addresses of the family.
        case noRoute
    }

    /// One address of an authoritative server.
    package struct Server: Hashable, Sendable {
        /// The server's name.
        package let name: String
        /// The address that was asked.
        package let address: Nameserver
        /// What it said.
        package let answer: Answer

        /// Describes an answer.
        package init(_ name: String, _ address: Nameserver, _ answer: Answer) {
            self.name = name
            self.address = address
            self.answer = answer
        }
    }

    /// Every address of every server.
    package var servers: [Server]
    /// How long resolvers may remember that a name does not exist, in seconds (RFC 2308, section 5).
    package var negativeTTL: Int64
    /// Why the servers could not be found; nil where they were.
    package var fault: String?

    /// Describes what was seen.
    package init(servers: [Server], negativeTTL: Int64 = 0, fault: String? = nil) {
        self.servers = servers
        self.negativeTTL = negativeTTL
        self.fault = fault
    }
}
