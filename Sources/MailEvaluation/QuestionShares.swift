package import MailDNS
package import MailSyntax
internal import Threads

/// How many questions are under way for each client and each sender's domain.
///
/// Bounded: only those are remembered that have a question under way, and the resolver bounds
/// these.
package final class QuestionShares: Sendable {
    /// Whose share a question belongs to.
    enum Owner: Hashable, Sendable {
        /// An SMTP client: its address, or the 64 bits of a network that an IPv6 host has.
        case client(IPNetwork)
        /// The domain of the reverse-path, or of HELO where that is null.
        case domain(DomainName)
    }

    private let counts = Locked<[Owner: Int]>([:])
    private let limit: Int

    /// The most questions that one client, and one domain, has under way at once: a few messages'
    /// worth, and a small part of what the resolver can have.
    package static let standardLimit = 128

    /// Nothing is under way.
    package init(limit: Int = standardLimit) {
        self.limit = limit
    }

    /// A resolver for the questions about one sender, where what checks him bounds their number.
    ///
    /// - Parameters:
    ///   - base: who answers.
    ///   - client: the SMTP client.
    ///   - domain: the domain that is checked; nil where there is none.
    ///   - recorder: remembers the questions.
    /// - Returns: the resolver; a question beyond a share fails at once with `DNSFailure.resolver`.
    package func resolver(
        _ base: any DNSResolver, client: IPAddress, domain: DomainName?,
        recorder: RecordingResolver? = nil
    ) -> any DNSResolver {
        MessageQuestions(
            base, limit: .max, shares: self, owners: Self.owners(client, domain),
            recorder: recorder
        ).policies
    }

    /// Whose shares the questions about a client and a domain belong to.
    static func owners(_ client: IPAddress?, _ domain: DomainName?) -> [Owner] {
        var owners: [Owner] = []
        if let address = client?.unmapped {
            let length = address.bitWidth == 32 ? 32 : 64
            owners.append(
                .client(IPNetwork(address, prefixLength: length) ?? IPNetwork(address)))
        }
        if let domain { owners.append(.domain(domain)) }
        return owners
    }

    /// Whether one of the owners has all its questions under way.
    func areFull(_ owners: [Owner]) -> Bool {
        counts.withLock { counts in owners.contains { counts[$0, default: 0] >= limit } }
    }

    /// Counts a question for each owner.
    func enter(_ owners: [Owner]) {
        counts.withLock { counts in
            for owner in owners { counts[owner, default: 0] += 1 }
        }
    }

    /// Takes a question of each owner back.
    func leave(_ owners: [Owner]) {
        counts.withLock { counts in
            for owner in owners {
                let count = counts[owner, default: 0]
                counts[owner] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// How many owners have a question under way.
    package var ownerCount: Int { counts.withLock { $0.count } }
}
