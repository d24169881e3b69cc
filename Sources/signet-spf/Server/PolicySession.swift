import DaemonKit

/// One client's connection: requests in, answers out, one after the other.
///
/// Trust: the client is Postfix, or anyone who can reach the socket. Every request is answered; whoever
/// does not read, or does not end a request that he began, is let go.
struct PolicySession: Sendable {
    /// How a run came to its end.
    enum Ending {
        /// The connection is over.
        case ended
        /// Nothing is under way, and nothing has come for a moment.
        case idle
    }

    /// Seconds of silence that make a connection idle.
    private static let idleSeconds = 0.01
    /// Seconds in which a request that was begun must end.
    static let requestSeconds = 60.0
    /// The same once the daemon is asked to stop.
    static let lastSeconds = 1.0
    /// Seconds in which the client must take an answer.
    static let answerSeconds = 30.0

    private let services: Services
    private let stream: ClientStream
    private let parks: Bool
    private var decoder = RequestDecoder()
    private var memory = ConnectionMemory()
    /// Whether nothing has come yet.
    ///
    /// Who has only just connected has a question: he is not turned away when the daemon stops.
    private var isNew = true

    /// Begins a session.
    ///
    /// - Parameters:
    ///   - services: what all sessions share.
    ///   - stream: the client.
    ///   - parks: whether a run ends when the connection is idle.
    init(_ services: Services, _ stream: ClientStream, parks: Bool) {
        self.services = services
        self.stream = stream
        self.parks = parks
    }

    /// Serves the client until he closes the connection or is let go, or the daemon stops, or nothing comes
    /// for a moment.
    mutating func run() -> Ending {
        var isStopping = false
        while true {
            let isInside = decoder.isInsideRequest
            switch stream.read(
                seconds: patience(isInside: isInside, isStopping), heedsStop: !isStopping)
            {
            case .octets(let octets):
                isNew = false
                decoder.append(octets[...])
                guard answerAll() else { return .ended }
                if isStopping, !decoder.isInsideRequest { return .ended }
            case .closed:
                return .ended
            case .late:
                guard isInside else { return isStopping ? .ended : .idle }
                _ = answer(.fault(.late))
                return .ended
            case .stop:
                guard isInside || isNew else { return .ended }
                isStopping = true
            }
        }
    }

    /// How long the next octets may take; nil for as long as the client likes.
    private func patience(isInside: Bool, _ isStopping: Bool) -> Double? {
        if isStopping { return Self.lastSeconds }
        if isInside { return Self.requestSeconds }
        // Postfix keeps idle connections for as long as it likes; so do we.
        guard parks else { return nil }
        return isNew ? Self.lastSeconds : Self.idleSeconds
    }

    /// Answers every request that is complete; false when the session is over.
    private mutating func answerAll() -> Bool {
        while let outcome = decoder.next() {
            guard answer(outcome) else { return false }
            if case .fault(let fault) = outcome, fault.endsConnection { return false }
        }
        return true
    }

    private mutating func answer(_ outcome: RequestDecoder.Outcome) -> Bool {
        let answer: PolicyAnswer
        switch outcome {
        case .request(let request):
            answer = services.engine.answer(request, &memory, services.configuration.current)
        case .fault(let fault):
            let configuration = services.configuration.current
            answer = PolicyAnswer(refusing: fault, configuration)
        }
        for line in answer.lines {
            services.log.log(line.isError ? .warning : .info, line.text)
        }
        guard stream.write(answer.action.answer, seconds: Self.answerSeconds) else {
            if services.configuration.current.debugLevel >= 0 {
                services.log.warning("a client did not take its answer: its connection is closed")
            }
            return false
        }
        return true
    }
}
