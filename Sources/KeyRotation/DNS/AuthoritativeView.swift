package import MailDNS
package import MailSyntax
internal import Threads

/// The authoritative servers of names, found by a resolver and asked directly, every address of every server.
package struct AuthoritativeView: AuthorityDNS {
    private let resolver: any DNSResolver
    private let fixed: [Nameserver]
    private let seconds: Double

    /// How many CNAMEs one after another are followed.
    private static let aliasLimit = 4
    /// The most servers, and the most addresses of one, that are asked.
    private static let serverLimit = 16

    /// Makes a view.
    ///
    /// - Parameters:
    ///   - resolver: finds the servers of a zone and their addresses.
    ///   - fixed: the servers to ask instead, where those of the NS records cannot be asked from here.
    ///   - seconds: how long one server may take.
    package init(
        resolver: any DNSResolver, fixed: [Nameserver] = [], seconds: Double = 4
    ) {
        self.resolver = resolver
        self.fixed = fixed
        self.seconds = seconds
    }

    package func sight(_ name: DomainName) -> RecordSighting {
        sight(name, aliases: 0)
    }

    private func sight(_ name: DomainName, aliases: Int) -> RecordSighting {
        let authorities = authorities(of: name)
        guard case .success(let addresses) = authorities else {
            if case .failure(let fault) = authorities {
                return RecordSighting(servers: [], fault: fault.description)
            }
            return RecordSighting(servers: [])
        }
        var sighting = RecordSighting(servers: [])
        var targets: Set<DomainName> = []
        for (server, address) in addresses {
            let seen = ask(address, name)
            sighting.negativeTTL = max(sighting.negativeTTL, seen.negativeTTL)
            if let target = seen.target {
                targets.insert(target)
            } else {
                sighting.servers.append(
                    RecordSighting.Server(server, address, seen.answer))
            }
        }
        guard !targets.isEmpty else { return sighting }
        guard targets.count == 1, aliases < Self.aliasLimit, let target = targets.first else {
            sighting.fault = "the servers of \(name) show different CNAMEs, or too many"
            return sighting
        }
        let further = sight(target, aliases: aliases + 1)
        sighting.servers += further.servers
        sighting.negativeTTL = max(sighting.negativeTTL, further.negativeTTL)
        sighting.fault = further.fault
        return sighting
    }

    // MARK: One server

    private struct Seen {
        var answer: RecordSighting.Answer
        var target: DomainName?
        var negativeTTL: Int64 = 0
    }

    private func ask(_ address: Nameserver, _ name: DomainName) -> Seen {
        let query = DirectQuery(server: address, seconds: seconds)
        do throws(DirectQuery.Failure) {
            let answer = try query.ask(name, DirectAnswer.textType)
            guard answer.responseCode == 0 || answer.responseCode == 3 else {
                let code = DNSFailure.serverFailure(responseCode: Int(answer.responseCode))
                return Seen(answer: .silent("answers \(code)"))
            }
            guard answer.isAuthoritative else {
                return Seen(answer: .silent("does not serve the zone"))
            }
            var seen = Seen(answer: Self.texts(of: answer, at: name))
            for record in answer.records where record.owner == name {
                if case .alias(let target) = record.data { seen.target = target }
            }
            // How long a resolver may remember that there was nothing is told with every negative answer: one for the
            // SOA record of a name that is no zone's.
            let negative = try query.ask(name.parent ?? name, DirectAnswer.authorityType)
            seen.negativeTTL = Self.negativeTTL(in: negative)
            return seen
        } catch {
            switch error {
            case .noRoute: return Seen(answer: .noRoute)
            case .silent(let reason): return Seen(answer: .silent(reason))
            }
        }
    }

    private static func texts(
        of answer: DirectAnswer, at name: DomainName
    ) -> RecordSighting.Answer {
        var texts: [[UInt8]] = []
        var ttl: Int64 = 0
        for record in answer.records where record.owner == name {
            guard case .text(let text) = record.data else { continue }
            texts.append(text)
            ttl = max(ttl, record.ttl)
        }
        return texts.isEmpty ? .none : .texts(texts, ttl: ttl)
    }

    /// RFC 2308, section 5: the lesser of the SOA record's TTL and its minimum.
    private static func negativeTTL(in answer: DirectAnswer) -> Int64 {
        var longest: Int64 = 0
        for record in answer.records {
            guard case .authority(let minimum) = record.data else { continue }
            longest = max(longest, min(minimum, record.ttl))
        }
        // No resolver keeps anything for longer than a week (RFC 8767, section 4).
        return min(longest, 604_800)
    }

    // MARK: Finding the servers

    private struct Fault: Error {
        let description: String
    }

    private func authorities(
        of name: DomainName
    ) -> Result<[(name: String, address: Nameserver)], Fault> {
        guard fixed.isEmpty else {
            return .success(fixed.map { ($0.description, $0) })
        }
        var zone: DomainName? = name
        while let candidate = zone, candidate != .root {
            switch resolve(DNSQuestion(candidate, .ns)) {
            case .records(let records, _):
                let servers = records.compactMap { record -> DomainName? in
                    if case .name(let server) = record { server } else { nil }
                }
                return addresses(of: servers.sorted(), zone: candidate)
            case .failure(let failure):
                return .failure(
                    Fault(description: "the servers of \(candidate) cannot be found: \(failure)"))
            case .noData, .nameError: zone = candidate.parent
            }
        }
        return .failure(Fault(description: "no zone of \(name) can be found"))
    }

    private func addresses(
        of servers: [DomainName], zone: DomainName
    ) -> Result<[(name: String, address: Nameserver)], Fault> {
        var found: [(name: String, address: Nameserver)] = []
        for server in servers.prefix(Self.serverLimit) {
            var own: [Nameserver] = []
            for type in [RecordType.a, .aaaa] {
                guard case .records(let records, _) = resolve(DNSQuestion(server, type)) else {
                    continue
                }
                for case .address(let address) in records { own.append(Nameserver(address)) }
            }
            guard !own.isEmpty else {
                return .failure(
                    Fault(description: "\(server), a server of \(zone), has no address"))
            }
            found += own.prefix(Self.serverLimit).map { (server.ascii, $0) }
        }
        guard !found.isEmpty else { return .failure(Fault(description: "\(zone) has no servers")) }
        return .success(found)
    }

    private func resolve(_ question: DNSQuestion) -> DNSAnswer {
        resolver.resolve(question, deadline: MonotonicTime.now() + 10)
    }
}
