import DaemonKit
import Glibc
import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import Metrics
import Observation
import Threads

/// Whether the DNS has the records of the keys that sign here, for the metrics.
///
/// The DNS is asked when the metrics are, and then a quarter of an hour not again; on a thread of its own,
/// so that nobody waits: the first answer has no states yet.
final class KeyWatch: Sendable {
    /// What the DNS has for a key.
    enum State: String, Sendable {
        /// The record has the key.
        case published
        /// There is no record.
        case absent
        /// The record's key is empty (RFC 6376, section 3.6.1).
        case revoked
        /// The record has another key, or cannot be read: signatures fail.
        case different
        /// The private key cannot be used.
        case unusable
        /// The DNS has not answered.
        case unknown
    }

    private struct Findings: Sendable {
        var states: [(key: WatchedKey, state: State)] = []
        var looked: MonotonicTime?
        var isLooking = false
    }

    /// The keys of one reading of the configuration.
    private struct Known: Sendable {
        let generation: String
        let since: MonotonicTime
        let keys: [WatchedKey]
    }

    private let known = Locked<Known?>(nil)
    private let configuration: Snapshot<DKIMConfiguration>
    private let resolver: any DNSResolver
    private let findings = Locked(Findings())

    /// How long what the DNS has said holds, in seconds.
    private static let validity = 900.0
    /// How long the keys of one reading of the configuration hold, in seconds: those of a KeyDirectory
    /// change without a reading.
    private static let keyValidity = 60.0
    /// How long the DNS may take, in seconds.
    private static let patience = 10.0

    /// Watches the keys of the configuration that holds.
    init(_ configuration: Snapshot<DKIMConfiguration>, _ resolver: any DNSResolver) {
        self.configuration = configuration
        self.resolver = resolver
    }

    /// The families as they are now.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: the families; those of the DNS without samples until it was asked.
    func families(now: Int64) -> [MetricFamily] {
        begin()
        let states = findings.withLock { $0.states }
        let keys = keys()
        return [
            MetricFamily(
                MetricName("signet_key_state", "What the DNS has for a key that signs"), .gauge,
                states.map { key, state in
                    MetricSample("", Self.labels(key) + [("state", state.rawValue)], "1")
                }),
            MetricFamily(
                MetricName(
                    "signet_key_age_seconds", unit: "seconds", "How old the file of a key is"),
                .gauge,
                keys.compactMap { key in
                    Self.written(key).map {
                        MetricSample("", Self.labels(key), "\(max(0, now - $0))")
                    }
                }),
        ]
    }

    /// The keys, worked out once for each reading of the configuration, and again after a while.
    private func keys() -> [WatchedKey] {
        let current = configuration.current
        let generation = current.observation.generation
        let now = MonotonicTime.now()
        let kept = known.withLock { known in
            known.flatMap { known in
                known.generation == generation
                    && now.seconds(since: known.since) < Self.keyValidity ? known.keys : nil
            }
        }
        if let kept { return kept }
        let keys = current.keys.watched
        known.withLock { $0 = Known(generation: generation, since: now, keys: keys) }
        return keys
    }

    private static func labels(_ key: WatchedKey) -> [(String, String)] {
        [("domain", key.domain.ascii), ("selector", key.selector.ascii)]
    }

    /// When a key's file was written; nil where that cannot be seen.
    private static func written(_ key: WatchedKey) -> Int64? {
        var status = stat()
        guard let file = key.file, unsafe stat(file, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec)
    }

    /// Looks on a thread of its own, unless that was done lately.
    private func begin() {
        let isDue = findings.withLock { findings -> Bool in
            let age = findings.looked.map { MonotonicTime.now().seconds(since: $0) }
            guard !findings.isLooking, age.map({ $0 >= Self.validity }) ?? true else {
                return false
            }
            findings.isLooking = true
            return true
        }
        guard isDue else { return }
        let hasStarted = startThread { [self] in
            let states = look()
            findings.withLock { findings in
                findings = Findings(states: states, looked: .now(), isLooking: false)
            }
        }
        if !hasStarted { findings.withLock { $0.isLooking = false } }
    }

    private func look() -> [(key: WatchedKey, state: State)] {
        let deadline = MonotonicTime.now() + Self.patience
        let asked = keys().map { key in
            let name = try? DomainName("\(key.selector.ascii)._domainkey.\(key.domain.ascii)")
            return (key, name.map { resolver.begin(DNSQuestion($0, .txt), deadline: deadline) })
        }
        return asked.map { key, answer in
            (key, answer.map { Self.state(of: key, $0.wait(until: deadline)) } ?? .absent)
        }
    }

    /// What an answer says about a key.
    static func state(of key: WatchedKey, _ answer: DNSAnswer) -> State {
        guard !key.publicKey.isEmpty else { return .unusable }
        switch answer {
        case .failure: return .unknown
        case .noData, .nameError: return .absent
        case .records(let records, _):
            var state = State.absent
            for case .text(let strings) in records {
                switch shown(by: Array(strings.joined())) {
                case .success(let shown) where shown.recordOctets == key.publicKey:
                    return .published
                case .failure(.noKey): break
                case .failure(.revoked): if state == .absent { state = .revoked }
                case .success, .failure: state = .different
                }
            }
            return state
        }
    }

    private static func shown(by record: [UInt8]) -> Result<PublicKey, KeyRecordError> {
        do throws(KeyRecordError) {
            return .success(try KeyRecord(parsing: record).key)
        } catch {
            return .failure(error)
        }
    }
}
