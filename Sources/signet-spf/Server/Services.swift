import ConnectionServer
import DaemonKit
import FlightRecord
import MailDNS
import Observation
import PolicyProtocol
import Threads

/// What all connections share: the configuration that holds, the engine, the log.
final class Services: Sendable {
    /// The configuration.
    let configuration: Snapshot<SPFConfiguration>
    /// What answers questions.
    let engine: PolicyEngine
    /// Where lines go.
    let log: Log
    /// What is kept and counted.
    let observer: Observer
    private let base: any DNSResolver
    private let time: TimeSource
    private let milterClients = RateLimit(seconds: 60)

    /// Puts the services together.
    init(
        configuration: Snapshot<SPFConfiguration>, resolver: any DNSResolver, log: Log,
        observer: Observer = .silent, time: TimeSource = .system
    ) {
        self.time = time
        self.configuration = configuration
        self.observer = observer
        engine = PolicyEngine(
            resolver: ObservedResolver.counting(resolver, observer),
            leastLevel: log.isEnabled(.debug) ? 3 : -1, time: time)
        base = resolver
        self.log = log
    }

    /// Answers one request, or what could not be read as one, and logs what is to be logged.
    ///
    /// - Parameters:
    ///   - outcome: what was read.
    ///   - memory: what is remembered of the connection's messages.
    ///   - output: what is sent; the answer is appended.
    func answer(
        _ outcome: RequestDecoder.Outcome, _ memory: inout ConnectionMemory, output: inout [UInt8]
    ) {
        if case .fault(let fault) = outcome, fault == .milterNegotiation {
            if milterClients.allows() { log.warning("\(fault)") }
            output += RequestFault.milterAnswer
            return
        }
        let answer: PolicyAnswer =
            switch outcome {
            case .request(let request): observed(request, &memory)
            case .fault(let fault): PolicyAnswer(refusing: fault, configuration.current)
            }
        for line in answer.lines {
            log.log(line.isError ? .warning : .info, line.text)
        }
        answer.action.append(to: &output)
    }

    /// Answers one request, and records it.
    private func observed(
        _ request: PolicyRequest, _ memory: inout ConnectionMemory
    ) -> PolicyAnswer {
        let configuration = configuration.current
        guard observer.isWatching else {
            let answer = engine.answer(request, &memory, configuration)
            return configuration.observation.isShadow ? answer.inShadow : answer
        }
        let start = MonotonicTime.now()
        let received = time.seconds()
        let recorder = observer.recording(base)
        let answer = engine.answer(request, &memory, configuration, recorder: recorder)
        let seconds = MonotonicTime.now().seconds(since: start)
        let isShadow = configuration.observation.isShadow
        observer.ended(
            isShadow ? .compared : answer.flightVerdict, seconds: seconds,
            holding: observer.isRecording ? answer.octets(with: request) : 0
        ) { entry in
            answer.add(to: &entry, about: request, configuration)
            answer.addEvidence(to: &entry, about: request, received: received, ended: seconds)
        }
        return isShadow ? answer.inShadow : answer
    }
}
