import ConnectionServer
import DaemonKit
import Observation
import PolicyProtocol

/// One client's connection: requests in, answers out, one after the other.
///
/// Trust: the client is Postfix, or anyone who can reach the socket. Every request is answered; a
/// client that does not finish a request it began is disconnected.
final class PolicyConnection: ConnectionHandler {
    private let services: Services
    private let counted: Observer.Session?
    private var decoder = RequestDecoder()
    private var memory = ConnectionMemory()
    private var hasBegun = false

    /// Begins a connection.
    init(_ services: Services) {
        self.services = services
        counted = services.observer.session()
    }

    var state: ConnectionState {
        if decoder.isInsideRequest { return .busy }
        return hasBegun ? .idle : .new
    }

    var bufferedOctets: Int { decoder.bufferedOctets }

    func receive(_ input: Span<UInt8>, output: inout [UInt8]) -> ConnectionStep {
        hasBegun = true
        var step = ConnectionStep.incomplete
        decoder.decode(input) { outcome in
            services.answer(outcome, &memory, output: &output)
            let isLast = if case .fault(let fault) = outcome { fault.endsConnection } else { false }
            step = isLast ? .close : .goOn
        }
        return step
    }

    func timeLimitPassed(output: inout [UInt8]) {
        services.answer(.fault(.late), &memory, output: &output)
    }

    func end() {}

    /// Answers a last request that lacks its empty line, as one in a file made by hand may.
    func finish(output: inout [UInt8]) {
        let lineEnd: [UInt8] = [0x0A]
        // One for the last line, if that lacks it too, and one for the empty line.
        for _ in 0..<2 where decoder.isInsideRequest { _ = receive(lineEnd.span, output: &output) }
    }
}

extension ConnectionLimits {
    /// What the clients of the policy service may use.
    static var policy: ConnectionLimits {
        var limits = ConnectionLimits()
        // Postfix sends a request in one piece.
        limits.busySeconds = 60
        limits.drainBusySeconds = 1
        limits.bufferedOctets = 64 << 20
        return limits
    }
}
