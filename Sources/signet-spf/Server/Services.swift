import ConnectionServer
import DaemonKit
import MailDNS
import PolicyProtocol

/// What all connections share: the configuration that holds, the engine, the log.
final class Services: Sendable {
    /// The configuration.
    let configuration: Snapshot<SPFConfiguration>
    /// What answers questions.
    let engine: PolicyEngine
    /// Where lines go.
    let log: Log
    private let milterClients = RateLimit(seconds: 60)

    /// Puts the services together.
    init(configuration: Snapshot<SPFConfiguration>, resolver: any DNSResolver, log: Log) {
        self.configuration = configuration
        engine = PolicyEngine(resolver: resolver, leastLevel: log.isEnabled(.debug) ? 3 : -1)
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
        let answer =
            switch outcome {
            case .request(let request): engine.answer(request, &memory, configuration.current)
            case .fault(let fault): PolicyAnswer(refusing: fault, configuration.current)
            }
        for line in answer.lines {
            log.log(line.isError ? .warning : .info, line.text)
        }
        answer.action.append(to: &output)
    }
}
