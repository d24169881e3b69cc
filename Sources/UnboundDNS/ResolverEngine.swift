internal import MailDNS
internal import MailSyntax
internal import Synchronization
internal import Threads

/// The resolver's shared state: the contexts, the questions under way and the answers kept.
///
/// A question goes to the quick context, which sends a packet again and again. What has no answer soon is asked in the
/// patient context besides, which sends one and waits for its answer: slow ways need that, as libunbound does not hear an
/// answer to a packet after which it has sent another.
final class ResolverEngine: Sendable {
    /// A question under way, and all who still wait for its answer.
    private struct Flight {
        /// The queries of which no reply has come.
        var queries: [UnboundQuery]
        /// Whether it has been asked in the patient context.
        var isAskedAgain = false
        var waiters: [(ticket: Ticket, answer: PendingAnswer)]
        let start: MonotonicTime
    }

    /// What tells one waiter from another.
    private final class Ticket: Sendable {}

    private struct Flights {
        var byQuestion: [DNSQuestion: Flight] = [:]
        /// The queries that libunbound has, also those whose question has been answered otherwise.
        var running: [ObjectIdentifier: UnboundQuery] = [:]
        /// Whether the pump looks for questions that are to be asked again.
        var isTimed = false
        /// Those among them for which somebody waits.
        var load: ResolverLoad

        /// Whether so many are under way, awaited or not, that this one cannot be; an eighth is kept
        /// for policies.
        func isFull(for question: DNSQuestion) -> Bool {
            let limit = UnboundResolver.questionsUnderWay
            return byQuestion.count >= (question.isForPolicy ? limit : limit - limit / 8)
        }
    }

    private enum Admission {
        case joined
        case start(UnboundQuery, wakesPump: Bool)
        case refused(DNSFailure)
    }

    private let context: UnboundContext
    private let patient: PatientContext
    private let cache: AnswerCache?
    private let flights: Locked<Flights>
    private let hasPump = Atomic(false)
    private let stopPipe = SignalPipe()
    private let wakePipe = SignalPipe()
    private let watch: ServerWatch

    init(
        context: UnboundContext, options: UnboundResolver.Options,
        report: @escaping @Sendable (NameserverState) -> Void
    ) {
        self.context = context
        patient = PatientContext(options)
        let servers =
            options.nameservers.isEmpty
            ? Nameserver.list(inResolvConf: options.resolvConf) : options.nameservers
        let outage = OutageHandler()
        watch = ServerWatch(servers) { state in
            report(state)
            if case .down = state { outage.run() }
        }
        flights = Locked(Flights(load: ResolverLoad(limit: options.questionLimit)))
        cache = options.cachesAnswers ? AnswerCache() : nil
        outage.set { [weak self] in self?.failAll() }
    }

    deinit {
        // The context goes first: until then its callbacks may point at the queries of the flights.
        context.close()
        patient.close()
        flights.withLock { flights in
            for waiter in flights.byQuestion.values.flatMap(\.waiters) {
                waiter.answer.fulfil(.failure(.resolver("the resolver was closed")))
            }
        }
    }

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        if let known = cache?.promise(for: question, at: .now()) { return known }
        guard watch.mayAsk() else { return .ready(.failure(.noServer)) }
        let ticket = Ticket()
        let pending = PendingAnswer(deadline: deadline) { [weak self] in
            self?.leave(question, ticket)
        }
        switch admit(question, ticket, pending) {
        case .joined: break
        case .refused(let failure): pending.fulfil(.failure(failure))
        case .start(let query, let wakesPump):
            start(query, for: question)
            if wakesPump { wakePipe.signal() }
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
            if flights.isFull(for: question) { return .refused(DNSFailure(.full)) }
            let query = query(for: question)
            flights.running[ObjectIdentifier(query)] = query
            flights.byQuestion[question] = Flight(
                queries: [query], waiters: [(ticket, pending)], start: .now())
            flights.load.begin(question)
            defer { flights.isTimed = true }
            return .start(query, wakesPump: !flights.isTimed)
        }
    }

    private func query(for question: DNSQuestion) -> UnboundQuery {
        UnboundQuery(
            name: question.name.queryText, type: question.type.rawValue
        ) { [weak self] query, reply in
            self?.finish(question, query, reply)
        }
    }

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
            return fail(question, query, "no thread can be started")
        }
        do throws(UnboundError) {
            try context.start(query)
        } catch {
            fail(question, query, error.description)
        }
    }

    /// After how many seconds a question is asked in the patient context, too, and how often that is looked for.
    private static let patience = 0.75
    private static let tickMilliseconds: Int32 = 125

    /// Asks in the patient context what has had no answer for a while.
    ///
    /// - Returns: whether it is to be looked at again soon.
    private func askAgain() -> Bool {
        let now = MonotonicTime.now()
        let (queries, isTimed) = flights.withLock { flights in
            var queries: [(DNSQuestion, UnboundQuery)] = []
            flights.isTimed = false
            for (question, flight) in flights.byQuestion where !flight.isAskedAgain {
                guard now.seconds(since: flight.start) >= Self.patience else {
                    flights.isTimed = true
                    continue
                }
                flights.byQuestion[question]?.isAskedAgain = true
                let query = query(for: question)
                flights.running[ObjectIdentifier(query)] = query
                flights.byQuestion[question]?.queries.append(query)
                queries.append((question, query))
            }
            return (queries, flights.isTimed)
        }
        for (question, query) in queries {
            if let failure = patient.start(query) { fail(question, query, failure) }
        }
        return isTimed
    }

    private func fail(_ question: DNSQuestion, _ query: UnboundQuery, _ reason: String) {
        if isLast(query, of: question, .failure(.resolver(reason))) {
            deliver(.failure(.resolver(reason)), to: question)
        }
    }

    /// Takes note that libunbound is done with a query.
    ///
    /// - Returns: whether its question is to be answered with this: it still is under way, and no better answer can come.
    private func isLast(
        _ query: UnboundQuery, of question: DNSQuestion, _ answer: DNSAnswer
    ) -> Bool {
        let isAnswer = if case .failure = answer { false } else { true }
        return flights.withLock { flights in
            flights.running[ObjectIdentifier(query)] = nil
            guard let flight = flights.byQuestion[question],
                let index = flight.queries.firstIndex(where: { $0 === query })
            else { return false }
            flights.byQuestion[question]?.queries.remove(at: index)
            return isAnswer || flight.queries.count == 1
        }
    }

    /// Runs on the pump thread when libunbound is done with a query.
    private func finish(
        _ question: DNSQuestion, _ query: UnboundQuery, _ reply: Result<UnboundReply, UnboundError>
    ) {
        switch reply {
        case .failure(let error): fail(question, query, error.description)
        case .success(let reply):
            let answer = DNSAnswer(reply, to: question.type)
            if reply.responseCode != Self.serverFailure { watch.heard() }
            guard isLast(query, of: question, answer) else { return }
            cache?.insert(answer, to: question, ttl: reply.ttl, at: .now())
            deliver(answer, to: question, timeToLive: reply.ttl)
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

    private func deliver(
        _ answer: DNSAnswer, to question: DNSQuestion, timeToLive: Int? = nil
    ) {
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
        for waiter in waiters { waiter.answer.fulfil(answer, timeToLive: timeToLive) }
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
        var isTimed = false
        while PumpThread.wait(
            for: [descriptor, patient.fileDescriptor, wakePipe.reader], orStop: stopPipe.reader,
            milliseconds: isTimed ? Self.tickMilliseconds : -1)
        {
            context.process()
            patient.process()
            wakePipe.clear()
            isTimed = askAgain()
        }
    }

    func stop() {
        watch.stop()
        stopPipe.signal()
    }
}

/// What is done when no server answers: set once the engine exists, which it points back to.
private final class OutageHandler: Sendable {
    private let body = Locked<(@Sendable () -> Void)?>(nil)

    func set(_ body: @escaping @Sendable () -> Void) { self.body.withLock { $0 = body } }

    func run() { body.withLock { $0 }?() }
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
