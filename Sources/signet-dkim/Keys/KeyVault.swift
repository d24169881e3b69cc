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

    /// How many domains' keys are kept; beyond that the oldest are forgotten together.
    static let limit = 4096

    private let kept = Locked<[String: PrivateKey]>([:])
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
        if let known = kept.withLock({ $0[path] }) { return .key(known) }
        let outcome = read(path)
        // A missing file may appear at any time, and one that is no use may be in the middle of being written.
        if case .key(let key) = outcome {
            kept.withLock {
                if $0.count >= Self.limit { $0.removeAll() }
                $0[path] = key
            }
        }
        return outcome
    }
}
