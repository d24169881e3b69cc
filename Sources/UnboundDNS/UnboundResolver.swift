public import MailDNS
internal import MailSyntax
internal import Synchronization
public import Threads

/// A caching resolver over libunbound, which asks the name servers given, or those of
/// `/etc/resolv.conf`.
///
/// One context serves the whole process. libunbound's own thread does the work and a pump thread
/// hands the answers out; both start with the first question, so that a daemon can create its
/// resolver before it drops privileges. `/etc/hosts` and search domains play no part.
///
/// A question whose waiters have given up runs on, and its answer is kept for the next who asks:
/// libunbound's cancel would not stop the work, only throw the answer away.
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
        public var questionLimit = 2048
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

    private let engine: Engine

    /// Creates a resolver.
    ///
    /// Files are read now; threads start with the first question.
    public init(_ options: Options = Options()) throws(SetupError) {
        engine = Engine(context: try Self.makeContext(options), options: options)
    }

    deinit {
        engine.stop()
    }

    /// Starts to look a question up, and returns at once.
    public func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        engine.begin(question, deadline: deadline)
    }

    private static func makeContext(_ options: Options) throws(SetupError) -> UnboundContext {
        let context: UnboundContext
        do throws(UnboundError) {
            context = try UnboundContext()
        } catch {
            throw .context(error.description)
        }
        do throws(SetupError) {
            try configure(context, options)
        } catch {
            context.close()
            throw error
        }
        return context
    }

    private static func configure(
        _ context: UnboundContext, _ options: Options
    ) throws(SetupError) {
        let modules = options.trustAnchorFile == nil ? "iterator" : "validator iterator"
        let chosen = [("module-config", modules)] + families(of: options.nameservers)
        for (name, value) in settings + chosen {
            do throws(UnboundError) {
                try context.set(name, value)
            } catch {
                throw .option(name, error.description)
            }
        }
        for server in options.nameservers {
            do throws(UnboundError) {
                try context.forward(to: server.description)
            } catch {
                throw .nameserver(server, error.description)
            }
        }
        if options.nameservers.isEmpty {
            do throws(UnboundError) {
                try context.forward(toServersIn: options.resolvConf)
            } catch {
                throw .resolvConf(options.resolvConf, error.description)
            }
        }
        do throws(UnboundError) {
            if let file = options.trustAnchorFile { try context.addTrustAnchors(from: file) }
            // A server that was named knows what it answers for these (RFC 6761 names).
            let released = options.nameservers.isEmpty ? [] : specialUseNames
            for name in ["home.arpa."] + released { try context.removeLocalZone(name) }
        } catch {
            if let file = options.trustAnchorFile { throw .trustAnchors(file) }
            throw .context(error.description)
        }
    }

    /// Does without the address family that no server has, for which the library would keep a list of all ports, 240 kB.
    private static func families(of servers: [Nameserver]) -> [(String, String)] {
        let isIPv4 = servers.map { if case .v4 = $0.address { true } else { false } }
        if servers.isEmpty || Set(isIPv4).count == 2 { return [] }
        return [(isIPv4[0] ? "do-ip6" : "do-ip4", "no")]
    }

    /// Settings of unbound.conf(5) that differ from the library's.
    private static let settings = [
        // Small caches: the answers that matter are few, and AnswerCache stands in front.
        ("msg-cache-size", "1m"), ("rrset-cache-size", "2m"), ("key-cache-size", "512k"),
        // Sockets for many questions at a time; the library's own values are 16 and 2.
        ("outgoing-range", "256"), ("outgoing-num-tcp", "8"),
        // RFC 9715: no fragments.
        ("edns-buffer-size", "1232"),
        // Servers on this host and names of private networks are the administrator's choice.
        ("do-not-query-localhost", "no"), ("unblock-lan-zones", "yes"),
        // No grudge against a server that owes an answer: the library would otherwise take one name
        // that a sender's slow server leaves hanging for an outage, and ask nothing for a minute.
        ("infra-host-ttl", "0"),
        // A question is repeated every 0.4 s or more, and given up after 5 to 16 s (measured).
        ("infra-cache-min-rtt", "400"), ("infra-cache-max-rtt", "10000"),
        ("outbound-msg-retry", "11"),
    ]

    private static let specialUseNames = ["test.", "invalid.", "onion.", "localhost."]
}

/// The resolver's shared state: the context, the questions under way and the answers kept.
private final class Engine: Sendable {
    /// A question under way, and all who still wait for its answer.
    private struct Flight {
        let query: UnboundQuery
        var waiters: [(ticket: Ticket, answer: PendingAnswer)]
    }

    /// What tells one waiter from another.
    private final class Ticket: Sendable {}

    private struct Flights {
        var byQuestion: [DNSQuestion: Flight] = [:]
        /// Those among them for which somebody waits.
        var awaited = 0
    }

    private enum Admission {
        case joined
        case start(UnboundQuery)
        case refused
    }

    private let context: UnboundContext
    private let cache: AnswerCache?
    private let questionLimit: Int
    private let flights = Locked(Flights())
    private let hasPump = Atomic(false)
    private let stopPipe = StopPipe()

    init(context: UnboundContext, options: UnboundResolver.Options) {
        self.context = context
        questionLimit = options.questionLimit
        cache = options.cachesAnswers ? AnswerCache() : nil
    }

    deinit {
        // The context goes first: until then its callbacks may point at the queries of the flights.
        context.close()
        flights.withLock { flights in
            for waiter in flights.byQuestion.values.flatMap(\.waiters) {
                waiter.answer.fulfil(.failure(.resolver("the resolver was closed")))
            }
        }
    }

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        if let cache, let answer = cache.answer(to: question, at: .now()) { return .ready(answer) }
        let ticket = Ticket()
        let pending = PendingAnswer(deadline: deadline) { [weak self] in
            self?.leave(question, ticket)
        }
        switch admit(question, ticket, pending) {
        case .joined: break
        case .refused: pending.fulfil(.failure(.resolver("too many questions are under way")))
        case .start(let query): start(query, for: question)
        }
        return pending
    }

    /// Joins a question that is under way, or enters it as a new one.
    private func admit(
        _ question: DNSQuestion, _ ticket: Ticket, _ pending: PendingAnswer
    ) -> Admission {
        flights.withLock { flights in
            if let flight = flights.byQuestion[question] {
                if flight.waiters.isEmpty { flights.awaited += 1 }
                flights.byQuestion[question]?.waiters.append((ticket, pending))
                return .joined
            }
            guard flights.awaited < limit(for: question),
                flights.byQuestion.count < Self.abandonedFactor * questionLimit
            else { return .refused }
            let query = UnboundQuery(
                name: question.name.queryText, type: question.type.rawValue
            ) { [weak self] reply in
                self?.finish(question, reply)
            }
            flights.byQuestion[question] = Flight(query: query, waiters: [(ticket, pending)])
            flights.awaited += 1
            return .start(query)
        }
    }

    /// How many questions may be awaited when this one is asked.
    ///
    /// A quarter of them all is kept for policy records: keys and SPF records on servers that do not answer, of which a sender
    /// names as many as it likes, cannot keep the policies of others from being found.
    private func limit(for question: DNSQuestion) -> Int {
        question.name.ascii.hasPrefix("_dmarc.") ? questionLimit : questionLimit - questionLimit / 4
    }

    /// How many times the questions that are awaited may be under way, with those that everybody has given up: libunbound ends
    /// these within seconds.
    private static let abandonedFactor = 4

    /// Takes back a waiter who has given up; the place of a question for which nobody waits is free for another.
    private func leave(_ question: DNSQuestion, _ ticket: Ticket) {
        flights.withLock { flights in
            guard var waiters = flights.byQuestion[question]?.waiters,
                let index = waiters.firstIndex(where: { $0.ticket === ticket })
            else { return }
            waiters.remove(at: index)
            flights.byQuestion[question]?.waiters = waiters
            if waiters.isEmpty { flights.awaited -= 1 }
        }
    }

    private func start(_ query: UnboundQuery, for question: DNSQuestion) {
        guard startPump() else {
            return deliver(.failure(.resolver("no thread can be started")), to: question)
        }
        do throws(UnboundError) {
            try context.start(query)
        } catch {
            deliver(.failure(.resolver(error.description)), to: question)
        }
    }

    /// Runs on the pump thread when libunbound is done with a question.
    private func finish(_ question: DNSQuestion, _ reply: Result<UnboundReply, UnboundError>) {
        switch reply {
        case .failure(let error):
            deliver(.failure(.resolver(error.description)), to: question)
        case .success(let reply):
            let answer = DNSAnswer(reply, to: question.type)
            cache?.insert(answer, to: question, ttl: reply.ttl, at: .now())
            deliver(answer, to: question)
        }
    }

    private func deliver(_ answer: DNSAnswer, to question: DNSQuestion) {
        let waiters = flights.withLock { flights in
            let waiters = flights.byQuestion.removeValue(forKey: question)?.waiters ?? []
            if !waiters.isEmpty { flights.awaited -= 1 }
            return waiters
        }
        for waiter in waiters { waiter.answer.fulfil(answer) }
    }

    /// Sees to it that there is a pump thread; false where the system gives none.
    private func startPump() -> Bool {
        guard !hasPump.load(ordering: .relaxed),
            !hasPump.exchange(true, ordering: .acquiringAndReleasing)
        else { return true }
        let hasStarted = PumpThread.start { self.pump() }
        if !hasStarted { hasPump.store(false, ordering: .releasing) }
        return hasStarted
    }

    /// The pump thread's work; the thread keeps the engine alive until it is told to stop.
    private func pump() {
        let descriptor = context.fileDescriptor
        while PumpThread.waitReadable(descriptor, orStop: stopPipe.reader) { context.process() }
    }

    func stop() {
        stopPipe.signal()
    }
}

extension DNSAnswer {
    /// What a reply of libunbound means.
    fileprivate init(_ reply: UnboundReply, to type: RecordType) {
        let status: DNSSECStatus = reply.isSecure ? .secure : .insecure
        if let reason = reply.bogusReason {
            self = .failure(.bogus(reason: reason))
            return
        }
        switch reply.responseCode {
        case 0:
            guard let data = reply.records else {
                self = .failure(.malformed)
                return
            }
            var records: [DNSRecord] = []
            for data in data {
                guard let record = DNSRecord(type, data: data) else {
                    self = .failure(.malformed)
                    return
                }
                records.append(record)
            }
            self = records.isEmpty ? .noData(status) : .records(records, status)
        case 3:
            self = .nameError(status)
        case let code:
            self = .failure(.serverFailure(responseCode: code))
        }
    }
}

extension DomainName {
    /// The name as libunbound reads it: with its last dot, and the backslash escaped.
    fileprivate var queryText: String {
        ascii.contains("\\")
            ? ascii.split(separator: "\\", omittingEmptySubsequences: false)
                .joined(separator: "\\\\") + "."
            : ascii + "."
    }
}
