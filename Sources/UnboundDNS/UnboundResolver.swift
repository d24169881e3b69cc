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
    ///
    /// - Parameters:
    ///   - options: how it is set up.
    ///   - onNameserverState: called, on another thread, when no name server answers any more, and when one does again.
    /// - Throws: what the set-up lacks.
    public init(
        _ options: Options = Options(),
        onNameserverState: @escaping @Sendable (NameserverState) -> Void = { _ in }
    ) throws(SetupError) {
        engine = Engine(
            context: try Self.makeContext(options), options: options, report: onNameserverState)
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

    /// Does without the address family that no server has, for which the library would keep a list
    /// of all ports, 240 kB.
    private static func families(of servers: [Nameserver]) -> [(String, String)] {
        let isIPv4 = servers.map { if case .v4 = $0.address { true } else { false } }
        if servers.isEmpty || Set(isIPv4).count == 2 { return [] }
        return [(isIPv4[0] ? "do-ip6" : "do-ip4", "no")]
    }

    /// Settings of unbound.conf(5) that differ from the library's.
    private static let settings = [
        // Small caches: the answers that matter are few, and AnswerCache stands in front.
        ("msg-cache-size", "1m"), ("rrset-cache-size", "2m"), ("key-cache-size", "512k"),
        // Sockets for many questions at a time; the library's own values are 16 and 2. Questions
        // without an answer hold theirs until they are given up, also where nobody waits any more.
        ("outgoing-range", "1024"), ("outgoing-num-tcp", "8"),
        // RFC 9715: no fragments.
        ("edns-buffer-size", "1232"),
        // Servers on this host and names of private networks are the administrator's choice.
        ("do-not-query-localhost", "no"), ("unblock-lan-zones", "yes"),
        // Disables the library's own server back-off: it would otherwise take one name
        // that a sender's slow server leaves hanging for an outage, and ask nothing for a minute.
        ("infra-host-ttl", "0"),
        // A server is asked after 0, 1, 2 and 4 s, and given up after 5 (measured): 36 questions of a
        // hostile message are 144 packets. Twelve retries, 0.4 s apart at first, made 22 of each.
        ("infra-cache-min-rtt", "1000"), ("infra-cache-max-rtt", "10000"),
        ("outbound-msg-retry", "2"),
    ]

    private static let specialUseNames = ["test.", "invalid.", "onion.", "localhost."]
}

/// The resolver's shared state: the context, the questions under way and the answers kept.
private final class Engine: Sendable {
    /// A question under way, and all who still wait for its answer.
    private struct Flight {
        let query: UnboundQuery
        var waiters: [(ticket: Ticket, answer: PendingAnswer)]
        let start: MonotonicTime
    }

    /// What tells one waiter from another.
    private final class Ticket: Sendable {}

    private struct Flights {
        var byQuestion: [DNSQuestion: Flight] = [:]
        /// Those among them for which somebody waits.
        var load: ResolverLoad
    }

    private enum Admission {
        case joined
        case start(UnboundQuery)
        case refused(DNSFailure)
    }

    private let context: UnboundContext
    private let cache: AnswerCache?
    private let questionLimit: Int
    private let flights: Locked<Flights>
    private let hasPump = Atomic(false)
    private let stopPipe = StopPipe()
    private let watch: ServerWatch

    init(
        context: UnboundContext, options: UnboundResolver.Options,
        report: @escaping @Sendable (NameserverState) -> Void
    ) {
        self.context = context
        let servers =
            options.nameservers.isEmpty
            ? Nameserver.list(inResolvConf: options.resolvConf) : options.nameservers
        let outage = OutageHandler()
        watch = ServerWatch(servers) { state in
            report(state)
            if case .down = state { outage.run() }
        }
        questionLimit = options.questionLimit
        flights = Locked(Flights(load: ResolverLoad(limit: options.questionLimit)))
        cache = options.cachesAnswers ? AnswerCache() : nil
        outage.set { [weak self] in self?.failAll() }
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
        guard watch.mayAsk() else { return .ready(.failure(.noServer)) }
        let ticket = Ticket()
        let pending = PendingAnswer(deadline: deadline) { [weak self] in
            self?.leave(question, ticket)
        }
        switch admit(question, ticket, pending) {
        case .joined: break
        case .refused(let failure): pending.fulfil(.failure(failure))
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
                if flight.waiters.isEmpty { flights.load.begin(question) }
                flights.byQuestion[question]?.waiters.append((ticket, pending))
                return .joined
            }
            if let refusal = flights.load.refusal(of: question) {
                return .refused(DNSFailure(refusal))
            }
            guard flights.byQuestion.count < Self.abandonedFactor * questionLimit else {
                return .refused(DNSFailure(.full))
            }
            let query = UnboundQuery(
                name: question.name.queryText, type: question.type.rawValue
            ) { [weak self] reply in
                self?.finish(question, reply)
            }
            flights.byQuestion[question] = Flight(
                query: query, waiters: [(ticket, pending)], start: .now())
            flights.load.begin(question)
            return .start(query)
        }
    }

    /// How many times the questions that are awaited may be under way, with those that everybody
    /// has given up: libunbound ends these within seconds.
    private static let abandonedFactor = 4

    /// Takes back a waiter who has given up; the place of a question for which nobody waits is free
    /// for another.
    private func leave(_ question: DNSQuestion, _ ticket: Ticket) {
        flights.withLock { flights in
            guard let flight = flights.byQuestion[question],
                let index = flight.waiters.firstIndex(where: { $0.ticket === ticket })
            else { return }
            flights.byQuestion[question]?.waiters.remove(at: index)
            if flight.waiters.count == 1 {
                let hadTime = MonotonicTime.now().seconds(since: flight.start) >= Self.answerTime
                flights.load.end(question, hadTime ? .silent : .abandoned)
            }
        }
    }

    /// After how many seconds without an answer a server counts as silent: it has been asked twice
    /// by then.
    private static let answerTime = 1.5

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
            if reply.responseCode != Self.serverFailure { watch.heard() }
            cache?.insert(answer, to: question, ttl: reply.ttl, at: .now())
            deliver(answer, to: question)
        }
    }

    /// SERVFAIL, with which libunbound also tells that no server has answered.
    private static let serverFailure = 2

    /// Answers all who wait; the questions themselves run on.
    private func failAll() {
        let waiters = flights.withLock { flights in
            var waiters: [PendingAnswer] = []
            for (question, flight) in flights.byQuestion where !flight.waiters.isEmpty {
                waiters += flight.waiters.map(\.answer)
                flights.byQuestion[question]?.waiters = []
                // Nothing is known about the servers of its zone.
                flights.load.end(question, .abandoned)
            }
            return waiters
        }
        for waiter in waiters { waiter.fulfil(.failure(.noServer)) }
    }

    private func deliver(_ answer: DNSAnswer, to question: DNSQuestion) {
        let waiters = flights.withLock { flights in
            let waiters = flights.byQuestion.removeValue(forKey: question)?.waiters ?? []
            let ending = ResolverLoad.Ending(answer)
            if waiters.isEmpty {
                flights.load.note(question, ending)
            } else {
                flights.load.end(question, ending)
            }
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
        watch.stop()
        stopPipe.signal()
    }
}

extension ResolverLoad.Ending {
    /// What an answer says about the servers of its zone: libunbound tells of a server that does
    /// not answer as of one that answers SERVFAIL.
    fileprivate init(_ answer: DNSAnswer) {
        switch answer {
        case .records, .noData, .nameError, .failure(.malformed), .failure(.bogus): self = .answered
        case .failure(.serverFailure), .failure(.timeout): self = .silent
        case .failure(.resolver), .failure(.noServer): self = .abandoned
        }
    }
}

extension DNSFailure {
    /// What a question that is not asked has for an answer.
    fileprivate init(_ refusal: ResolverLoad.Refusal) {
        switch refusal {
        case .full: self = .resolver("too many questions are under way")
        case .domainFull: self = .resolver("too many questions are under way for one domain")
        // It would have had none either.
        case .silent: self = .timeout
        }
    }
}

/// What is done when no server answers: set once the engine exists, which it points back to.
private final class OutageHandler: Sendable {
    private let body = Locked<(@Sendable () -> Void)?>(nil)

    func set(_ body: @escaping @Sendable () -> Void) { self.body.withLock { $0 = body } }

    func run() { body.withLock { $0 }?() }
}

extension Nameserver {
    /// The servers of a resolv.conf(5) file; those whose address cannot be read are left out.
    fileprivate static func list(inResolvConf path: String) -> [Nameserver] {
        let text = String(decoding: FileReader.beginning(of: path, 65_536), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0] == "nameserver" else { return nil }
            return IPAddress(String(words[1])).map { Nameserver($0) }
        }
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
