import DaemonKit

/// One client's connection: requests in, answers out, one after the other.
///
/// Trust: the client is Postfix, or anyone who can reach the socket. Every request is answered; whoever
/// does not read, or does not end a request that he began, is let go.
struct PolicySession {
    /// Seconds in which a request that was begun must end.
    static let requestSeconds: Int32 = 60
    /// The same once the daemon is asked to stop.
    static let lastSeconds: Int32 = 1
    /// Seconds in which the client must take an answer.
    static let answerSeconds: Int32 = 30

    private let services: Services
    private let stream: ClientStream
    private var decoder = RequestDecoder()
    private var memory = ConnectionMemory()

    /// Begins a session.
    init(_ services: Services, _ stream: ClientStream) {
        self.services = services
        self.stream = stream
    }

    /// Serves the client until he closes the connection or is let go, or the daemon stops.
    mutating func run() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var isStopping = false
        while true {
            let isInside = decoder.isInsideRequest
            let patience = isStopping ? Self.lastSeconds : Self.requestSeconds
            // Postfix keeps idle connections for as long as it likes; so do we.
            switch stream.read(
                into: &buffer, seconds: isInside ? patience : nil, heedsStop: !isStopping)
            {
            case .octets(let count):
                decoder.append(buffer.span.extracting(first: count))
                guard answerAll() else { return }
            case .closed:
                return
            case .late:
                _ = answer(.fault(.late))
                return
            case .stop:
                guard isInside else { return }
                isStopping = true
            }
        }
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
