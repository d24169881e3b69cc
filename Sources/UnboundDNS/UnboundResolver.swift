public import MailDNS
public import Threads

/// A caching resolver over libunbound, which asks the name servers given, or those of
/// `/etc/resolv.conf`.
///
/// One context serves the whole process, and one more what it has no answer to within a second (see
/// `ResolverEngine`). libunbound's own threads do the work and a pump thread hands the answers out; they
/// start with the first question, so that a daemon can create its resolver before it drops privileges.
/// `/etc/hosts` and search domains play no part.
///
/// A question whose waiters have given up runs on, and its answer is kept for the next who asks:
/// libunbound's cancel would not stop the work, only throw the answer away. Its place is free at
/// once. What may be under way at a time, in all and for one domain, `ResolverLoad` decides.
public final class UnboundResolver: DNSResolver {
    /// How a resolver is set up.
    public struct Options: Hashable, Sendable {
        /// The servers to ask; if empty, those of the `resolv.conf` file.
        public var nameservers: [Nameserver] = []
        /// A file of DNSSEC trust anchors (DS or DNSKEY records); without it nothing is validated.
        public var trustAnchorFile: String?
        /// The resolv.conf(5) file that is read when no servers are given.
        public var resolvConf = "/etc/resolv.conf"
        /// The most questions that may be under way; one more fails at once.
        ///
        /// A quarter is kept for policy records.
        public var questionLimit = 1024
        /// Whether answers are also kept in front of libunbound's cache.
        public var cachesAnswers = true

        /// Creates options.
        public init(nameservers: [Nameserver] = [], trustAnchorFile: String? = nil) {
            self.nameservers = nameservers
            self.trustAnchorFile = trustAnchorFile
        }
    }

    /// Why a resolver could not be set up.
    public enum SetupError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The library has no memory or file descriptors.
        case context(String)
        /// The library refuses an option.
        case option(String, String)
        /// The name server is not accepted.
        case nameserver(Nameserver, String)
        /// The resolv.conf(5) file cannot be read.
        case resolvConf(String, String)
        /// The trust anchor file cannot be read, or has something else in it.
        case trustAnchors(String)

        /// The error as one line of text.
        public var description: String {
            switch self {
            case .context(let reason): "the DNS resolver does not start: \(reason)"
            case .option(let name, let reason): "the DNS resolver refuses \(name): \(reason)"
            case .nameserver(let server, let reason): "name server \(server): \(reason)"
            case .resolvConf(let path, let reason): "\(path): \(reason)"
            case .trustAnchors(let path): "\(path): no trust anchors can be read from this file"
            }
        }
    }

    /// The most questions that may be under way, with those that everybody has given up: libunbound
    /// ends these within seconds.
    static let questionsUnderWay = 2048

    private let engine: ResolverEngine

    /// Creates a resolver.
    ///
    /// Files are read now; threads start with the first question.
    ///
    /// - Parameters:
    ///   - options: how it is set up.
    ///   - onNameserverState: called, on another thread, when no name server answers any more, and when one does again.
    /// - Throws: what the set-up lacks.
    public init(
        _ options: Options = Options(),
        onNameserverState: @escaping @Sendable (NameserverState) -> Void = { _ in }
    ) throws(SetupError) {
        engine = ResolverEngine(
            context: try Self.makeContext(options), options: options, report: onNameserverState)
    }

    deinit {
        engine.stop()
    }

    /// Starts to look a question up, and returns at once.
    public func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        engine.begin(question, deadline: deadline)
    }
}
