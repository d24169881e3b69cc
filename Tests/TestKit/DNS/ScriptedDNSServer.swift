internal import Foundation
internal import Glibc
public import MailDNS
public import MailSyntax
internal import Synchronization
import Threads

/// A small DNS server on a loopback port, over UDP and TCP, which answers from a zone and
/// misbehaves as a test tells it to.
public final class ScriptedDNSServer: Sendable {
    /// How a name is answered.
    public enum Behaviour: Sendable {
        /// As the zone says.
        case answer
        /// As the zone says, so many seconds after the name was first asked for: as a server that
        /// has to look it up, and then answers everyone who asked.
        case delay(Double)
        /// As the zone says, each packet so many seconds after it came: as over a way that is slow.
        case late(Double)
        /// Not at all.
        case drop
        /// With an error code and no records: 2 is SERVFAIL, 5 is REFUSED.
        case code(Int)
        /// With octets that are no DNS message.
        case garbage
        /// With the TC bit and nothing else over UDP, as the zone says over TCP.
        case truncate
        /// With the TC bit over UDP, and over TCP one octet at a time, so many seconds apart.
        case trickle(Double)
        /// With the id of another query.
        case wrongID
        /// With a record for another name.
        case otherName(DomainName)
        /// With a record whose data is cut short or otherwise is not of its type.
        case rawData([UInt8])
    }

    private struct State {
        var zone: ZoneResolver
        var behaviours: [DomainName: Behaviour] = [:]
        var isSilent = false
        var silentDomain: DomainName?
        var queries: [DNSQuestion] = []
        var firstAsked: [DomainName: MonotonicTime] = [:]
        var tcpQueries = 0
        var isStopped = false
    }

    /// The server as the resolver's options want it.
    public let nameserver: Nameserver
    /// The TTL of every record, in seconds.
    public let ttl: UInt32
    private let udp: Int32
    private let tcp: Int32
    private let state: Mutex<State>

    /// Starts a server.
    public init(_ zone: ZoneResolver, ttl: UInt32 = 300) throws {
        state = Mutex(State(zone: zone))
        self.ttl = ttl
        let sockets = try LoopbackSockets()
        udp = sockets.udp
        tcp = sockets.tcp
        nameserver = Nameserver(.v4(0x7f00_0001), port: sockets.port)
        Thread.detachNewThread { self.serveUDP() }
        Thread.detachNewThread { self.serveTCP() }
    }

    /// Stops the server; its threads end within a moment.
    public func stop() {
        state.withLock { $0.isStopped = true }
    }

    /// Tells how a name is answered from now on.
    public func set(_ behaviour: Behaviour, for name: DomainName) {
        state.withLock { $0.behaviours[name] = behaviour }
    }

    /// Answers from another zone from now on, as after a change that a postmaster has made.
    public func change(to zone: ZoneResolver) {
        state.withLock { $0.zone = zone }
    }

    /// Answers nothing at all for a while, as a server that is down.
    public func setSilent(_ isSilent: Bool) {
        state.withLock { $0.isSilent = isSilent }
    }

    /// Answers nothing for a domain and all names below it.
    public func setSilent(below domain: DomainName) {
        state.withLock { $0.silentDomain = domain }
    }

    /// The questions that came, in order.
    public var queries: [DNSQuestion] { state.withLock { $0.queries } }

    /// How many questions came over TCP.
    public var tcpQueryCount: Int { state.withLock { $0.tcpQueries } }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func serveUDP() {
        while !isStopped {
            guard LoopbackSockets.waitReadable(udp) else { continue }
            guard let (query, sender) = LoopbackSockets.receive(udp) else { continue }
            guard let reply = reply(to: query, overTCP: false) else { continue }
            let send: @Sendable () -> Void = { [udp] in
                LoopbackSockets.send(udp, reply.bytes, to: sender)
            }
            Self.after(reply.delay, send)
        }
        close(udp)
    }

    private func serveTCP() {
        while !isStopped {
            guard LoopbackSockets.waitReadable(tcp) else { continue }
            let connection = accept(tcp, nil, nil)
            if connection >= 0 { Thread.detachNewThread { self.serve(connection) } }
        }
        close(tcp)
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        while !isStopped {
            guard LoopbackSockets.waitReadable(connection) else { continue }
            guard let prefix = LoopbackSockets.read(connection, count: 2),
                let query = LoopbackSockets.read(
                    connection, count: Int(prefix[0]) << 8 | Int(prefix[1]))
            else { return }
            guard let reply = reply(to: query, overTCP: true) else { continue }
            Thread.sleep(forTimeInterval: reply.delay)
            let length = [UInt8(reply.bytes.count >> 8), UInt8(reply.bytes.count & 0xff)]
            for piece in reply.pieces(length + reply.bytes) {
                guard !isStopped, LoopbackSockets.write(connection, piece) else { return }
                if reply.gap > 0 { Thread.sleep(forTimeInterval: reply.gap) }
            }
        }
    }

    private static func after(_ seconds: Double, _ body: @escaping @Sendable () -> Void) {
        guard seconds > 0 else { return body() }
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: seconds)
            body()
        }
    }
}

extension ScriptedDNSServer {
    private struct Reply {
        var bytes: [UInt8]
        var delay = 0.0
        /// Seconds between two octets over TCP; zero sends all at once.
        var gap = 0.0

        func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
            gap > 0 ? bytes.map { [$0] } : [bytes]
        }
    }

    private func reply(to bytes: [UInt8], overTCP: Bool) -> Reply? {
        guard let query = DNSMessage.Query(bytes) else { return nil }
        guard let question = query.question else {
            return Reply(bytes: DNSMessage(id: query.id, section: query.section, code: 5).bytes)
        }
        let (behaviour, isSilent, firstAsked) = state.withLock { state in
            state.queries.append(question)
            let firstAsked = state.firstAsked[question.name] ?? .now()
            state.firstAsked[question.name] = firstAsked
            if overTCP { state.tcpQueries += 1 }
            let isSilent =
                state.isSilent
                || state.silentDomain.map(question.name.isEqualOrSubdomain) ?? false
            return (state.behaviours[question.name] ?? .answer, isSilent, firstAsked)
        }
        if isSilent { return nil }
        let cut = DNSMessage(id: query.id, section: query.section, code: 0, truncated: true).bytes
        switch behaviour {
        case .drop: return nil
        case .answer: return Reply(bytes: answer(query, question, overTCP))
        case .delay(let seconds):
            let elapsed = MonotonicTime.now().seconds(since: firstAsked)
            return Reply(
                bytes: answer(query, question, overTCP), delay: max(0, seconds - elapsed))
        case .late(let seconds):
            return Reply(bytes: answer(query, question, overTCP), delay: seconds)
        case .code(let code):
            return Reply(bytes: DNSMessage(id: query.id, section: query.section, code: code).bytes)
        case .garbage:
            return Reply(bytes: Array(bytes.prefix(2)) + (0..<40).map { UInt8($0 * 6 % 251) })
        case .truncate:
            return Reply(bytes: overTCP ? answer(query, question, true) : cut)
        case .trickle(let gap):
            return Reply(bytes: overTCP ? answer(query, question, true) : cut, gap: gap)
        case .wrongID:
            var other = query
            other.id ^= 0x5555
            return Reply(bytes: answer(other, question, overTCP))
        case .otherName(let name):
            return Reply(bytes: raw(query, question, owner: name, [0x03, 0x61, 0x62, 0x63]))
        case .rawData(let data):
            return Reply(bytes: raw(query, question, owner: question.name, data))
        }
    }

    private func raw(
        _ query: DNSMessage.Query, _ question: DNSQuestion, owner: DomainName, _ data: [UInt8]
    ) -> [UInt8] {
        var message = DNSMessage(id: query.id, section: query.section, code: 0, answers: 1)
        message.append(owner: owner, type: question.type.rawValue, ttl: ttl, data: data)
        return message.bytes
    }

    /// What the zone says, with the CNAME records on the way.
    private func answer(
        _ query: DNSMessage.Query, _ question: DNSQuestion, _ overTCP: Bool
    ) -> [UInt8] {
        let zone = state.withLock { $0.zone }
        var records: [(owner: DomainName, type: RecordType, data: DNSRecord)] = []
        var name = question.name
        while question.type != .cname, records.count < 20,
            case .records(let aliases, _) = zone.answer(to: DNSQuestion(name, .cname)),
            case .name(let target)? = aliases.first
        {
            records.append((name, .cname, aliases[0]))
            name = target
        }
        var code = 0
        switch zone.answer(to: DNSQuestion(name, question.type)) {
        case .records(let found, _):
            records += found.map { (name, question.type, $0) }
        case .noData: break
        case .nameError: code = 3
        case .failure: if records.isEmpty { code = 2 }
        }
        let isNegative = records.allSatisfy { $0.type == .cname } && question.type != .cname
        var message = DNSMessage(
            id: query.id, section: query.section, code: code, answers: records.count,
            authorities: isNegative && code != 2 ? 1 : 0)
        for record in records {
            message.append(
                owner: record.owner, type: record.type.rawValue, ttl: ttl,
                data: DNSMessage.data(record.data))
        }
        if isNegative && code != 2 {
            // The root's SOA: names of the root, and five numbers.
            let numbers = [1, 3600, 600, 86400, Int(ttl)].flatMap { number in
                (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
            }
            message.append(owner: .root, type: 6, ttl: ttl, data: [0, 0] + numbers)
        }
        guard overTCP || message.bytes.count <= query.udpLimit else {
            return DNSMessage(id: query.id, section: query.section, code: 0, truncated: true).bytes
        }
        return message.bytes
    }
}
