internal import MailSyntax

/// What reports say of one domain.
package struct DomainInsight: Sendable {
    /// One day of it.
    package struct Day: Hashable, Sendable {
        /// How many messages.
        package var messages: Int64 = 0
        /// How many of them passed.
        package var passed: Int64 = 0
    }

    /// The policy domain.
    package var domain: String
    /// All sources together.
    package var total = SourceInsight(address: "")
    /// The addresses, most messages first; the smallest of very many are one, with an empty address.
    package var sources: [SourceInsight] = []
    /// The days, by their number since 1970.
    package var days: [Int64: Day] = [:]
    /// The reporters, by their organizational domain.
    package var reporters: [String: Day] = [:]
    /// How many reports there are.
    package var reports = 0
    /// The policy that the newest report found published.
    package var policy = ""
    /// What of it was signed here; nil where nobody knows what was.
    package var loop: ClosedLoop?
    /// The notes of its reports, and how many have each.
    package var notes: [String: Int] = [:]

    init(domain: String) { self.domain = domain }

    /// The sources under their names, the worst first: by failures that look like ours, then by failures, then by volume.
    package var groups: [SourceInsight] {
        var groups: [String: SourceInsight] = [:]
        var counts: [String: Int] = [:]
        for source in sources {
            let key = Self.groupKey(source)
            counts[key, default: 0] += 1
            if var known = groups[key] {
                known.merge(source)
                groups[key] = known
            } else {
                groups[key] = source
            }
        }
        return groups.map { key, group in
            var group = group
            group.key = key
            let count = counts[key] ?? 1
            if count > 1 {
                group.address = "\(count) addresses"
                if group.kind == .unknown, let network = Self.network(group.name) {
                    group.name = network
                }
            }
            return group
        }.sorted {
            ($0.legitimate.messages, $0.failed, $0.messages, $1.name)
                > ($1.legitimate.messages, $1.failed, $1.messages, $0.name)
        }
    }

    /// What sources are put together by: their name, or the network of those that have none.
    static func groupKey(_ source: SourceInsight) -> String {
        let name = source.kind == .unknown ? network(source.name) ?? source.name : source.name
        return "\(source.kind.rawValue) \(name)"
    }

    /// The network that an address is likely to share with its neighbours: a /24, or a /48 of IPv6.
    private static func network(_ address: String) -> String? {
        switch IPAddress(address) {
        case .v4(let bits)?: "\(IPAddress.v4(bits & 0xFFFF_FF00))/24"
        case .v6(let bits)?: "\(IPAddress.v6((bits >> 80) << 80))/48"
        case nil: nil
        }
    }
}
