import ArgumentParser
import Configuration
import DaemonKit
import Foundation
import Glibc
import MailDNS
import MailSyntax
import ReportInsight
import ReportStore
import Reports
import SigningLog
import Threads

/// What the commands that show received reports share.
struct InsightOptions: ParsableArguments {
    @OptionGroup var stored: ReceivedOptions
    @OptionGroup var dns: ResolverOptions

    @Option(
        help: ArgumentHelp(
            "From when: 30d, 8w, or a day such as 2026-11-01; everything without it.",
            valueName: "time"))
    var since: String?

    @Flag(help: "Ask the DNS for the names of sources and for the domains' SPF records.")
    var names = false

    @Option(
        help: ArgumentHelp(
            "Networks of our own hosts, besides the addresses of this one.", valueName: "list"))
    var own: String?

    @Option(
        name: .customLong("signed"),
        help: ArgumentHelp(
            "The SigningLog of signet-dkim, to compare reports with, once for each host that signs; what dkim.conf names without it, none for none.",
            valueName: "directory"))
    var signingLogs: [String] = []

    /// How many names are asked for.
    private static let nameLimit = 300
    /// How many addresses a source's name may have.
    private static let addressLimit = 16

    func validate() throws {
        if let since, CalendarDay.since(since) == nil {
            throw ValidationError("--since \(since): write 30d, 8w, or 2026-11-01")
        }
        _ = try ownNetworks()
    }

    /// Whether the DNS is asked.
    var asksDNS: Bool { names || dns.isGiven }

    /// What the store shows.
    ///
    /// - Parameters:
    ///   - only: the domain that is wanted; nil for all.
    ///   - other: from when, where the command line does not say so.
    /// - Returns: what is shown.
    /// - Throws: why the store cannot be read.
    func insight(only: String? = nil, since other: String? = nil) throws -> Insight {
        let store = try stored.opened()
        let first = (since ?? other).flatMap { CalendarDay.since($0) }
        var insight: Insight
        do {
            insight = try Insight(
                of: store, since: first?.number, today: CalendarDay.today.number, only: only,
                signed: ledger(since: first?.number ?? 0))
        } catch {
            throw CommandFailure(.noInput, "the store cannot be read: \(error)")
        }
        insight.refusals = try stored.stillThere(insight.refusals)
        var facts = InsightFacts()
        facts.own = try ownNetworks() + Self.interfaces()
        if asksDNS {
            let asking = SourceNames(resolver: try dns.resolver())
            let names = asking.names(of: insight.addresses(atMost: Self.nameLimit))
            facts.name = { names[$0] }
            for domain in insight.domains.prefix(20) {
                facts.spf[domain.domain] = asking.spfNetworks(of: domain.domain)
            }
        }
        insight.apply(facts)
        return insight
    }

    /// What was signed here; nil where nobody knows, which is said where somebody should.
    private func ledger(since day: Int64) -> SigningLedger? {
        do throws(SigningLogError) {
            let directories = signingDirectories()
            let ledger = try SigningLedger.read(directories, since: day)
            if ledger == nil, !signingLogs.isEmpty, !directories.isEmpty {
                complain("--signed: not every directory has counts, and none is looked at")
            }
            return ledger
        } catch {
            complain("what was signed cannot be read, and is not looked at: \(error)")
            return nil
        }
    }

    private func signingDirectories() -> [String] {
        guard signingLogs.isEmpty else { return signingLogs.filter { $0 != "none" } }
        let file = "/etc/signet/dkim.conf"
        guard FileManager.default.isReadableFile(atPath: file) else { return [] }
        let reader = ConfigurationReader(
            schema: ConfigurationSchema([SigningLogSettings.directive]), file: file,
            passingOverOthers: true)
        return SigningLogSettings(reader).directory.map { [$0] } ?? []
    }

    private func ownNetworks() throws -> [IPNetwork] {
        try (own ?? "").split(whereSeparator: { $0 == "," || $0 == " " }).map { text in
            if let network = IPNetwork(text) { return network }
            throw ValidationError("--own: \"\(text)\" is not an address or a network")
        }
    }

    /// The addresses of this host.
    private static func interfaces() -> [IPNetwork] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var networks: [IPNetwork] = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            guard let address = unsafe entry.pointee.ifa_addr else { continue }
            let family = unsafe Int32(address.pointee.sa_family)
            guard family == AF_INET || family == AF_INET6 else { continue }
            let length =
                family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let status = unsafe getnameinfo(
                address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            let name = String(
                decoding: text.prefix { $0 != 0 && $0 != 0x25 }.map { UInt8(bitPattern: $0) },
                as: UTF8.self)
            guard status == 0, let parsed = IPAddress(name), !parsed.isLoopback else { continue }
            networks.append(IPNetwork(parsed))
        }
        return networks
    }
}

/// Asks the DNS about sources: questions are bounded in number and in time, and what is not answered is not known.
struct SourceNames {
    let resolver: any DNSResolver
    /// How long all answers may take together, in seconds.
    private static let patience = 15.0
    /// How many mechanisms with questions an SPF record may have (RFC 7208, section 4.6.4).
    private static let lookups = 10

    /// The names of addresses that the names' addresses confirm (RFC 8601, section 3).
    func names(of addresses: [String]) -> [IPAddress: String] {
        let deadline = MonotonicTime.now() + Self.patience
        let parsed = addresses.compactMap { IPAddress($0) }
        let pointers = parsed.map { address in
            (address, ask(address.reverseName, .ptr, deadline))
        }
        var candidates: [(IPAddress, DomainName, PendingAnswer?)] = []
        for (address, pending) in pointers {
            guard case .records(let records, _)? = pending?.wait() else { continue }
            for case .name(let name) in records.prefix(3) where name.isHostName {
                let type: RecordType = if case .v4 = address { .a } else { .aaaa }
                candidates.append((address, name, ask(name.ascii, type, deadline)))
            }
        }
        var names: [IPAddress: String] = [:]
        for (address, name, pending) in candidates where names[address] == nil {
            guard case .records(let records, _)? = pending?.wait() else { continue }
            if records.contains(.address(address)) { names[address] = name.ascii }
        }
        return names
    }

    /// The networks that the SPF record of a domain names, those of its includes with them.
    func spfNetworks(of domain: String) -> [IPNetwork] {
        let deadline = MonotonicTime.now() + Self.patience
        var networks: [IPNetwork] = []
        var open = [domain]
        var seen: Set<String> = []
        while let name = open.popLast(), seen.count < Self.lookups {
            guard seen.insert(name).inserted, let record = record(of: name, "v=spf1", deadline)
            else { continue }
            for word in record.split(separator: " ").dropFirst().prefix(100) {
                let term = word.lowercased().drop { $0 == "+" }
                func value(_ prefix: String) -> String? {
                    term.hasPrefix(prefix) ? String(term.dropFirst(prefix.count)) : nil
                }
                if let network = (value("ip4:") ?? value("ip6:")).flatMap({ IPNetwork($0) }) {
                    networks.append(network)
                } else if let other = value("include:") ?? value("redirect=") {
                    open.append(other)
                } else if term == "a" || term.hasPrefix("a:") {
                    networks += hosts(value("a:") ?? name, deadline)
                } else if term == "mx" || term.hasPrefix("mx:") {
                    let answer = ask(value("mx:") ?? name, .mx, deadline)?.wait()
                    guard case .records(let records, _)? = answer else { continue }
                    for case .mx(_, let exchange) in records.prefix(10) {
                        networks += hosts(exchange.ascii, deadline)
                    }
                }
            }
        }
        return networks
    }

    /// The DMARC record of a domain; nil where there is none.
    func dmarcRecord(of domain: String) -> String? {
        record(of: "_dmarc.\(domain)", "v=DMARC1", MonotonicTime.now() + Self.patience)
    }

    private func hosts(_ name: String, _ deadline: MonotonicTime) -> [IPNetwork] {
        let answers = [RecordType.a, .aaaa].map { ask(name, $0, deadline) }
        return answers.flatMap { pending -> [IPNetwork] in
            guard case .records(let records, _)? = pending?.wait() else { return [] }
            return records.prefix(20).compactMap {
                if case .address(let address) = $0 { IPNetwork(address) } else { nil }
            }
        }
    }

    private func record(
        of name: String, _ prefix: String, _ deadline: MonotonicTime
    ) -> String? {
        guard case .records(let records, _)? = ask(name, .txt, deadline)?.wait() else {
            return nil
        }
        for case .text(let strings) in records {
            let text = String(decoding: strings.flatMap { $0 }, as: UTF8.self)
            if text.lowercased().hasPrefix(prefix.lowercased()) { return text }
        }
        return nil
    }

    private func ask(
        _ name: String, _ type: RecordType, _ deadline: MonotonicTime
    ) -> PendingAnswer? {
        guard let name = try? DomainName(name) else { return nil }
        return resolver.begin(DNSQuestion(name, type), deadline: deadline)
    }
}
