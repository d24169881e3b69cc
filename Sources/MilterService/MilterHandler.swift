internal import ConnectionServer
internal import Milter

/// The milter protocol of one connection, for the server.
final class MilterHandler: ConnectionHandler {
    private let connection: MilterConnection

    init(_ service: MilterService) {
        connection = MilterConnection(service)
    }

    func receive(_ input: Span<UInt8>, output: inout [UInt8]) -> ConnectionStep {
        let before = connection.bufferedOctets
        switch connection.receive(input, output: &output) {
        case .close: return .close
        case .goOn:
            return connection.bufferedOctets == before + input.count ? .incomplete : .goOn
        }
    }

    /// An SMTP session whose connection is closed goes on without its filter, so that a drain waits
    /// for all of it.
    var state: ConnectionState {
        switch connection.phase {
        // The MTA that has just agreed is about to begin.
        case .new, .ready: .new
        case .session, .message: .busy
        }
    }

    var bufferedOctets: Int { connection.bufferedOctets }

    func end() { connection.end() }
}
