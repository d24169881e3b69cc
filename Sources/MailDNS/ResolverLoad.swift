internal import MailSyntax

/// What a resolver has under way for those who wait, and what more it may take on.
///
/// A sender names the domains that are asked, and may see to it that none of them answers. So a
/// domain has a share of all places, policies have places that nothing else gets, and of a zone
/// whose servers do not answer only a few questions at a time are asked until one of them does.
///
/// A zone stands for its servers: questions go to the servers of this host, which ask those of the
/// zone, so that a resolver neither sees who is silent nor may back off from whom it asks, who
/// answers for everybody. A zone is taken to be the last three labels of the name below the one that
/// begins with an underscore.
///
/// Pure. Trust: any questions; the zones that are remembered are bounded.
package struct ResolverLoad: Sendable {
    /// Why a question is not asked.
    package enum Refusal: Hashable, Sendable {
        /// As many questions are under way as there may be.
        case full
        /// As many are under way as one domain may have.
        case domainFull
        /// The zone's servers have not answered lately, and are being asked.
        case silent
    }

    /// How a question has ended.
    package enum Ending: Hashable, Sendable {
        /// With an answer, whatever it says.
        case answered
        /// Without one, and there was time for it.
        case silent
        /// Nobody waits any more.
        case abandoned
    }

    private struct Key: Hashable {
        let name: DomainName
        /// Whether this stands for the zone; else for the domain above, which has many.
        let isZone: Bool
    }

    private struct Share {
        var awaited = 0
        /// Questions without answer in a row.
        var silent = 0
    }

    private let limit: Int
    private var awaited = 0
    private var shares: [Key: Share] = [:]

    /// The least share of a zone or domain, where there are few places.
    private static let leastShare = 16
    /// How many questions in a row must have no answer for a zone to count as silent.
    private static let silenceThreshold = 4
    /// How many questions of a silent zone are asked at a time.
    private static let silentShare = 2

    /// Nothing is under way.
    ///
    /// - Parameter limit: how many questions may be awaited at a time; a quarter is kept for
    ///   policies.
    package init(limit: Int) {
        self.limit = limit
    }

    /// How many questions are awaited.
    package var count: Int { awaited }

    /// Why a question cannot be asked now; nil where it can.
    package func refusal(of question: DNSQuestion) -> Refusal? {
        let isPolicy = question.isForPolicy
        // Keys and SPF records on servers that do not answer, of which a sender names as many as it
        // likes, cannot keep the policies of others from being found.
        guard awaited < (isPolicy ? limit : limit - limit / 4) else { return .full }
        for key in Self.keys(of: question.name) {
            guard let share = shares[key] else { continue }
            let part = key.isZone ? limit / 16 : limit / 4
            if share.awaited >= max(Self.leastShare, part) { return .domainFull }
            // A policy is always sought: a name that a sender lets hang may be a neighbour's.
            if key.isZone, !isPolicy, share.silent >= Self.silenceThreshold,
                share.awaited >= Self.silentShare
            {
                return .silent
            }
        }
        return nil
    }

    /// Counts a question for which somebody waits now.
    package mutating func begin(_ question: DNSQuestion) {
        awaited += 1
        for key in Self.keys(of: question.name) { shares[key, default: Share()].awaited += 1 }
    }

    /// Takes back a question that has ended, or for which nobody waits any more.
    package mutating func end(_ question: DNSQuestion, _ ending: Ending) {
        awaited -= 1
        for key in Self.keys(of: question.name) { shares[key]?.awaited -= 1 }
        note(question, ending)
    }

    /// Notes how a question has ended, whether or not somebody still waited for it.
    package mutating func note(_ question: DNSQuestion, _ ending: Ending) {
        for key in Self.keys(of: question.name) {
            var share = shares[key] ?? Share()
            switch ending {
            case .answered: share.silent = 0
            case .silent: share.silent = min(share.silent + 1, Self.silenceThreshold)
            case .abandoned: break
            }
            shares[key] = share.awaited > 0 || share.silent > 0 ? share : nil
        }
        // Zones that are silent and not asked are forgotten when there are many.
        if shares.count > 4 * max(limit, Self.leastShare) {
            shares = shares.filter { $0.value.awaited > 0 }
        }
    }

    /// The zone of a name, and the domain that it is in.
    private static func keys(of name: DomainName) -> [Key] {
        let labels = name.ascii.split(separator: ".")
        let own = labels.lastIndex { $0.hasPrefix("_") }.map { labels.count - $0 - 1 }
        let count = own ?? labels.count
        // The reverse zones: 24 bits of an IPv4 address make a network.
        let isReverse = labels.last == "arpa"
        return [
            Key(name: name.suffix(labels: min(count, isReverse ? 5 : 3)), isZone: true),
            Key(name: name.suffix(labels: min(count, 2)), isZone: false),
        ]
    }
}
