import MailCrypto
import MailDNS
import MailSyntax
import Threads

@testable import KeyRotation

/// A domain's disk, DNS and clock, in memory; everything can be stopped at any operation, and fail.
final class FakeWorld: KeyDisk, AuthorityDNS, RecordMethod, Sendable {
    struct Contents: Sendable {
        var now: Int64 = 1_800_000_000
        var keys: [DomainName: PrivateKey] = [:]
        var list: [DomainName]?
        var state: String?
        /// What was published when: the servers show the last entry that is old enough for them.
        var published: [DomainName: [(time: Int64, value: String?)]] = [:]
        /// Operations that are still allowed; nil for any number.
        var operationsLeft: Int?
        var isDiskFull = false
        var methodFault: String?
        /// A method that says it is done and does nothing.
        var methodLies = false
        var silentServer: String?
        var revealed: Set<DomainName> = []
        /// What was signed with, and when.
        var signed: [DomainName: Int64] = [:]
    }

    let contents = Locked(Contents())
    let domain = DomainName.example
    static let negativeTTL: Int64 = 900
    /// How much later the secondary shows a change, in seconds.
    static let lag: Int64 = 60
    var policy: RotationPolicy {
        var policy = RotationPolicy()
        policy.bits = 1024
        policy.recordTTL = 600
        return policy
    }

    func rotator(
        _ policy: RotationPolicy? = nil, hosts: FakeHosts? = nil, leader: FakeLeader? = nil
    ) -> KeyRotator {
        KeyRotator(
            disk: self, dns: self, method: self, distributor: hosts, leader: leader,
            policy: policy ?? self.policy, now: { self.contents.withLock { $0.now } })
    }

    func change(_ body: (inout Contents) -> Void) { contents.withLock { body(&$0) } }
    var list: [String] { contents.withLock { ($0.list ?? []).map(\.ascii) } }
    var selectors: Set<String> { contents.withLock { Set($0.keys.keys.map(\.ascii)) } }

    /// Puts a key there that signs and has long been published.
    func addOldKey(_ selector: String, ed25519: Bool = false, listed: Bool = true) throws {
        let key = try ed25519 ? PrivateKey.generateEd25519() : PrivateKey.generateRSA(bits: 1024)
        let selector = try DomainName(selector)
        change {
            $0.keys[selector] = key
            if listed { $0.list = ($0.list ?? []) + [selector] }
            $0.published[Self.name(selector)] = [(0, key.publicKey.keyRecord)]
        }
    }

    static func name(_ selector: DomainName) -> DomainName {
        (try? selector.below(DomainName.domainKey.below(.example))) ?? .root
    }

    /// Counts an operation; false when the command has been killed before it.
    private func operate() -> Bool {
        contents.withLock { contents in
            guard let left = contents.operationsLeft else { return true }
            guard left > 0 else { return false }
            contents.operationsLeft = left - 1
            return true
        }
    }

    private func operateOnDisk(writes: Bool) throws(DiskFailure) {
        guard operate() else { throw DiskFailure("killed") }
        if writes, contents.withLock({ $0.isDiskFull }) {
            throw DiskFailure("No space left on device")
        }
    }

    // MARK: KeyDisk

    func keys(of domain: DomainName) throws(DiskFailure) -> [DomainRotation.Lying] {
        try operateOnDisk(writes: false)
        return contents.withLock { contents in
            contents.keys.map {
                DomainRotation.Lying($0.key, KeyKind($0.value.algorithm), made: 1)
            }.sorted { $0.selector < $1.selector }
        }
    }

    func signing(_ domain: DomainName) throws(DiskFailure) -> [DomainName]? {
        try operateOnDisk(writes: false)
        return contents.withLock { $0.list }
    }

    func writeSigning(_ selectors: [DomainName], of domain: DomainName) throws(DiskFailure) {
        try operateOnDisk(writes: true)
        change { $0.list = selectors }
    }

    func state(of domain: DomainName) throws(DiskFailure) -> [UInt8]? {
        try operateOnDisk(writes: false)
        return contents.withLock { $0.state.map { Array($0.utf8) } }
    }

    func writeState(_ text: String, of domain: DomainName) throws(DiskFailure) {
        try operateOnDisk(writes: true)
        change { $0.state = text }
    }

    func makeKey(
        _ selector: DomainName, _ kind: KeyKind, bits: Int, of domain: DomainName
    ) throws(DiskFailure) {
        try operateOnDisk(writes: true)
        guard contents.withLock({ $0.keys[selector] == nil }) else { return }
        let made =
            kind == .rsa
            ? try? PrivateKey.generateRSA(bits: bits) : try? PrivateKey.generateEd25519()
        guard let made else { throw DiskFailure("no key") }
        change { $0.keys[selector] = made }
    }

    func publicKey(_ selector: DomainName, of domain: DomainName) throws(DiskFailure) -> PublicKey {
        try operateOnDisk(writes: false)
        guard let key = contents.withLock({ $0.keys[selector] }) else {
            throw DiskFailure("no key \(selector)")
        }
        return key.publicKey
    }

    func destroyKey(_ selector: DomainName, of domain: DomainName) throws(DiskFailure) {
        try operateOnDisk(writes: true)
        change { $0.keys[selector] = nil }
    }

    func revealKey(_ selector: DomainName, of domain: DomainName) throws(DiskFailure) {
        try operateOnDisk(writes: true)
        change {
            $0.keys[selector] = nil
            $0.revealed.insert(selector)
        }
    }

    // MARK: RecordMethod

    func present(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try publish(record.name, record.value)
    }

    func cleanup(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try publish(record.name, nil)
    }

    private func publish(_ name: DomainName, _ value: String?) throws(MethodFailure) {
        guard operate() else { throw MethodFailure("killed") }
        if let fault = contents.withLock({ $0.methodFault }) { throw MethodFailure(fault) }
        change {
            if !$0.methodLies { $0.published[name, default: []].append(($0.now, value)) }
        }
    }

    // MARK: AuthorityDNS

    func sight(_ name: DomainName) -> RecordSighting {
        let servers = ["ns1.example", "ns2.example"].map { server in
            RecordSighting.Server(
                server, Nameserver(.v4(1)),
                contents.withLock { contents in
                    if contents.silentServer == server { return .silent("gives no answer") }
                    let value = Self.shown(
                        contents, name, lag: server == "ns1.example" ? 0 : Self.lag)
                    return value.map { .texts([Array($0.utf8)], ttl: 600) } ?? .none
                })
        }
        return RecordSighting(servers: servers, negativeTTL: Self.negativeTTL)
    }

    private static func shown(_ contents: Contents, _ name: DomainName, lag: Int64) -> String? {
        contents.published[name]?.last { $0.time + lag <= contents.now }?.value
    }

    // MARK: What must hold at every moment

    /// Signs a message as the daemon would now, and looks whether a receiver can verify it and those of the last days: also one
    /// who asked a server just before a record was there, or keeps what it got for the record's TTL.
    func faults() -> [String] {
        contents.withLock { contents in
            var faults: [String] = []
            let listed = contents.list ?? Array(contents.keys.keys)
            if listed.isEmpty { faults.append("nothing signs") }
            for selector in listed {
                contents.signed[selector] = contents.now
                guard let key = contents.keys[selector] else {
                    faults.append("\(selector) signs and has no key")
                    continue
                }
                let history = contents.published[Self.name(selector)] ?? []
                let oldest = contents.now - Self.lag - Self.negativeTTL
                guard let shown = history.last(where: { $0.time <= oldest }),
                    shown.value == key.publicKey.keyRecord,
                    history.last?.value == shown.value
                else {
                    faults.append("\(selector) signs, and not every resolver knows it")
                    continue
                }
            }
            let queue: Int64 = 432_000
            for (selector, time) in contents.signed where contents.now - time <= queue {
                let value = Self.shown(contents, Self.name(selector), lag: 0) ?? ""
                if value.hasSuffix("p=") || value.isEmpty {
                    faults.append("\(selector) is gone, and mail that it signed is under way")
                }
            }
            return faults
        }
    }
}

/// Other hosts, which can be away.
final class FakeHosts: KeyDistributor {
    let fault = Locked<String?>(nil)
    let listFault = Locked<String?>(nil)

    func distributeKeys(of domains: [DomainName]) throws(MethodFailure) {
        if let fault = fault.withLock({ $0 }) { throw MethodFailure(fault) }
    }

    func distributeLists(of domains: [DomainName]) throws(MethodFailure) {
        if let fault = listFault.withLock({ $0 }) { throw MethodFailure(fault) }
    }
}

/// A lease that is another's after it has been taken a number of times.
final class FakeLeader: RotationLeader {
    private let left: Locked<Int>

    init(_ times: Int) { left = Locked(times) }

    func confirm() throws(RotationFailure) {
        let isOurs = left.withLock { left in
            left -= 1
            return left >= 0
        }
        guard isOurs else { throw RotationFailure("host2 rotates the keys") }
    }
}

extension DomainName {
    static let example = (try? DomainName("example.org")) ?? .root
}
