import ConnectionServer
import DaemonKit
import Glibc
import Threads

/// One client on standard input and output: sockets under spawn(8), pipes under a script.
final class StandardIO: Sendable {
    private enum Phase: Sendable {
        case waiting
        case answering
        case ended
    }

    /// Seconds in which a request that was begun must end.
    private static let requestSeconds = 60.0

    private let services: Services
    private let state = Monitor((phase: Phase.waiting, isStopping: false))

    /// Prepares to serve.
    init(_ services: Services) {
        self.services = services
    }

    /// Asks to stop, from any thread: what is under way is finished.
    func requestStop() {
        state.update { $0.isStopping = true }
    }

    /// Serves the client until it closes its end, or a stop is asked for.
    func serve() -> ExitCode {
        guard startThread({ [self] in converse() }) else {
            services.log.error("no thread can be started")
            return .systemError
        }
        _ = state.wait(until: .distantFuture) { state -> Bool? in
            switch state.phase {
            case .ended: true
            // What has been sent by now is answered.
            case .waiting: state.isStopping && !Self.hasInput(milliseconds: 0) ? true : nil
            case .answering: nil
            }
        }
        return .ok
    }

    private func converse() {
        let connection = PolicyConnection(services)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var output: [UInt8] = []
        var goesOn = true
        while goesOn {
            let isInside = connection.state == .busy
            let limit = isInside ? Int32(Self.requestSeconds * 1_000) : -1
            let hasInput = Self.hasInput(milliseconds: limit)
            state.update { $0.phase = .answering }
            output.removeAll(keepingCapacity: true)
            if hasInput {
                let count = unsafe read(0, &buffer, buffer.count)
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                if count <= 0 { break }
                let step = connection.receive(buffer.span.extracting(first: count), output: &output)
                goesOn = step != .close
            } else {
                connection.timeLimitPassed(output: &output)
                goesOn = false
            }
            goesOn = Self.write(output) && goesOn
            if connection.state != .busy { state.update { $0.phase = .waiting } }
        }
        connection.end()
        state.update { $0.phase = .ended }
    }

    /// Whether something, or the end, can be read within so many milliseconds; -1 waits for ever.
    private static func hasInput(milliseconds: Int32) -> Bool {
        while true {
            var wait = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&wait, 1, milliseconds)
            if ready < 0, errno == EINTR { continue }
            return ready != 0
        }
    }

    private static func write(_ octets: [UInt8]) -> Bool {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets[sent...].withUnsafeBytes { bytes in
                unsafe Glibc.write(1, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno != EINTR { return false }
            sent += max(count, 0)
        }
        return true
    }
}
