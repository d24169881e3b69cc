import MailCrypto
import MailSyntax
import Threads

/// Keeps the private keys whose files are chosen by the sender's domain (`%` in KeyTable), or are too many to be read at start.
///
/// Such a file is read when its domain first sends, and kept, bounded in number, until the next reload. All other keys are read
/// with the configuration and never pass through here.
final class KeyVault: Sendable {
    /// What became of loading a key.
    enum Outcome: Sendable {
        /// The key, parsed and warm.
        case key(PrivateKey)
        /// There is no such file: the domain has no key.
        case missing(path: String)
        /// There is a file and it is no use; the reason for the log.
        case fault(reason: String)
    }

    /// Two generations: when the young one is full the old one is forgotten, and the young one is old.
    private struct Generations {
        private var young: [String: PrivateKey] = [:]
        private var old: [String: PrivateKey] = [:]

        /// The key of a file; one that is used is young again.
        mutating func use(_ path: String) -> PrivateKey? {
            if let key = young[path] { return key }
            guard let key = old.removeValue(forKey: path) else { return nil }
            keep(key, path)
            return key
        }

        mutating func keep(_ key: PrivateKey, _ path: String) {
            if young.count >= KeyVault.generationLimit { (old, young) = (young, [:]) }
            young[path] = key
        }
    }

    /// How many keys a generation holds: those that have signed lately stay, twice as many at most.
    static let generationLimit = 2048

    private let kept = Locked(Generations())
    private let read: @Sendable (String) -> Outcome

    /// Makes a vault over a function that reads and checks one key file.
    init(read: @escaping @Sendable (String) -> Outcome) {
        self.read = read
    }

    /// The key of a source for mail of a domain.
    func load(_ source: KeySource, for domain: DomainName) -> Outcome {
        switch source {
        case .loaded(let key): return .key(key)
        case .perDomain(let template):
            // The domain comes from the message: only a host name may become part of a path.
            guard domain.isHostName else { return .missing(path: template) }
            return key(
                in: template.split(separator: "%", omittingEmptySubsequences: false)
                    .joined(separator: domain.ascii))
        case .deferred(let path):
            // The table names this very file: without it the mail that it is for cannot be signed.
            let outcome = key(in: path)
            if case .missing = outcome { return .fault(reason: "there is no \(path) any more") }
            return outcome
        }
    }

    private func key(in path: String) -> Outcome {
        if let known = kept.withLock({ $0.use(path) }) { return .key(known) }
        let outcome = read(path)
        // A missing file may appear at any time, and one that is no use may be in the middle of being written.
        if case .key(let key) = outcome { kept.withLock { $0.keep(key, path) } }
        return outcome
    }
}
