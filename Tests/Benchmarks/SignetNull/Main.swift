import Glibc
import Milter
import MilterService

/// A filter that does nothing, on our own transport, with the events of signet-dkim.
///
///     SignetNull FD    serves on the listening socket FD
@main
enum SignetNull {
    static func main() throws {
        guard let listener = CommandLine.arguments.dropFirst().first.flatMap({ Int32($0) }) else {
            exit(64)
        }
        let server = try MilterServer(
            listening: listener, options: .init(name: "null") { _ in }
        ) { NullFilter() }
        try server.run()
    }
}

private struct NullFilter: MilterFilter {
    let needs = MilterNeeds(
        events: [.connect, .mail, .header, .endOfHeader, .body],
        edits: [.addHeaders, .changeHeaders])

    func makeSession(protocol negotiated: NegotiatedProtocol) -> NullSession { NullSession() }
}

/// Every event has its default, which is to go on.
private final class NullSession: MilterSession {}
