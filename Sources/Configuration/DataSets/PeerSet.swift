public import MailSyntax

/// A set of clients by host name and address, as `InternalHosts` and `PeerList` describe them (opendkim.conf(5), PeerList).
///
/// Entries are host names, `.example.com` for all names below a domain, addresses and networks; `!` takes clients out again.
/// Host names are looked at first and their decision is final; then the address, the most specific network deciding.
/// Two deviations from OpenDKIM, both in the sense of its own manual: a client that `!name` excludes is not let in again by
/// its address, and `192.168.0.1/24` means `192.168.0.0/24`, with a warning, where OpenDKIM's never matches.
///
/// Trust: entries are the postmaster's. The client's name is only as good as the MTA's check of it (Postfix gives names that
/// resolve back to the address, and `[address]` or `unknown` otherwise).
public struct PeerSet: Sendable {
    private var names = NameMatcher()
    /// Patterns that addresses match in their text form, such as `192.168.*`.
    private var addressGlobs: [(glob: Glob, isMember: Bool)] = []
    private var networks: [IPNetwork: Bool] = [:]
    /// The prefix lengths that occur, longest first.
    private var lengths4: [Int] = []
    private var lengths6: [Int] = []

    /// The empty set.
    public init() {}

    /// Reads the entries of a data set; what is wrong with one is handed to `report` and the entry left out.
    public init(_ set: DataSet, directive: String, report: (ConfigurationProblem) -> Void) {
        for entry in set.entries {
            if entry.value != nil {
                report(
                    ConfigurationProblem(
                        .warning, at: entry.location, directive: directive,
                        "what follows \"\(entry.key)\" is ignored",
                        suggestion: "write one host or network on each line"))
            }
            do throws(NameEntry.Fault) {
                try insert(entry, matching: set.matching) { message, suggestion in
                    report(
                        ConfigurationProblem(
                            .warning, at: entry.location, directive: directive, message,
                            suggestion: suggestion))
                }
            } catch {
                let negatable = NegatableEntry(entry.key)
                var problem = ConfigurationProblem(
                    error.severity(for: negatable), at: entry.location, directive: directive,
                    error.message, suggestion: error.suggestion)
                // Left out, it would leave in whom it should take out.
                problem.isDangerous = !negatable.isMember
                report(problem)
            }
        }
        for network in networks.keys {
            switch network.address {
            case .v4: lengths4.append(network.prefixLength)
            case .v6: lengths6.append(network.prefixLength)
            }
        }
        lengths4 = Set(lengths4).sorted(by: >)
        lengths6 = Set(lengths6).sorted(by: >)
    }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { names.isEmpty && networks.isEmpty && addressGlobs.isEmpty }

    /// Whether a client is in the set; either of its facts may be unknown.
    public func contains(hostName: String?, address: IPAddress?) -> Bool {
        // A name in brackets is an address that had no name.
        if let hostName, !hostName.hasPrefix("["), let member = names.decision(for: hostName) {
            return member
        }
        guard let address = address?.unmapped else { return false }
        return decision(for: address) ?? false
    }

    private func decision(for address: IPAddress) -> Bool? {
        let lengths = address.bitWidth == 32 ? lengths4 : lengths6
        for length in lengths {
            guard let network = IPNetwork(address, prefixLength: length) else { continue }
            if let member = networks[network] { return member }
        }
        guard !addressGlobs.isEmpty else { return nil }
        let text = address.description
        return addressGlobs.first { $0.glob.matches(text) }?.isMember
    }

    private mutating func insert(
        _ entry: DataSet.Entry, matching: DataSet.Matching, warn: (String, String) -> Void
    ) throws(NameEntry.Fault) {
        let negatable = NegatableEntry(entry.key)
        var text = negatable.text
        // The form of SPF's dual-cidr-length (RFC 7208, section 5.6), which old files of policyd-spf have.
        let parts = text.split(separator: "//", omittingEmptySubsequences: false)
        if parts.count == 2 {
            let single = "\(parts[0])/\(parts[1])"
            if Self.network(single) != nil {
                warn("\"\(text)\" is taken for \(single)", "write \(single)")
                text = single
            }
        }
        if let network = Self.network(text) {
            if network.hadHostBits {
                warn(
                    "\"\(text)\" has bits set beyond its prefix; it is taken for the network",
                    "write \(network)")
            }
            let plain = Self.unmapped(network)
            networks[plain] = negatable.isMember && networks[plain] != false
            return
        }
        if text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }) {
            throw NameEntry.Fault(
                message: "\"\(text)\" is not an address or network",
                suggestion: "write it like 192.0.2.0/24 or 2001:db8::/32")
        }
        do throws(NameEntry.Fault) {
            switch try NameEntry(text, matching: matching) {
            case .glob(let glob):
                names.insert(glob, isMember: negatable.isMember)
                addressGlobs.append((glob, negatable.isMember))
            case .name(let name):
                names.insert(name, isMember: negatable.isMember)
            }
        } catch {
            guard error.suggestion == nil else { throw error }
            throw NameEntry.Fault(
                message: "\"\(text)\" is not a host name, .domain, address or network",
                suggestion: "write it like host.example.com, .example.com or 192.0.2.0/24")
        }
    }

    /// Reads `address`, `address/length`, `address/mask`, with or without brackets.
    private static func network(_ text: String) -> IPNetwork? {
        if let network = IPNetwork(text) { return network }
        // OpenDKIM tries masks in dotted form too.
        guard let slash = text.firstIndex(of: "/"), let address = IPAddress(text[..<slash]),
            case .v4(let mask)? = IPAddress(text[text.index(after: slash)...]),
            mask.leadingZeroBitCount == 0 || mask == 0,
            (~mask).leadingZeroBitCount + mask.trailingZeroBitCount == 32
        else { return nil }
        return IPNetwork(address, prefixLength: (~mask).leadingZeroBitCount)
    }

    /// A network of IPv4-mapped addresses as the IPv4 network that it is.
    private static func unmapped(_ network: IPNetwork) -> IPNetwork {
        guard case .v6 = network.address, case .v4 = network.address.unmapped,
            network.prefixLength >= 96
        else { return network }
        return IPNetwork(network.address.unmapped, prefixLength: network.prefixLength - 96)
            ?? network
    }
}

extension ConfigurationReader {
    /// The set of clients that a directive names; nil when there is neither a value nor a default.
    public func peerSet(_ directive: String) -> PeerSet? {
        dataSet(directive).map { set in
            PeerSet(set, directive: schema[directive]?.name ?? directive) { report($0) }
        }
    }
}
