import Foundation
import TestKit

/// A running MilterProbe, and the socket it listens on.
final class Probe {
    let process: ServerProcess
    let address: SocketAddress
    private let directory: URL

    enum Transport { case unix, inet, inet6 }

    /// Starts a probe on a socket of that kind.
    convenience init(_ arguments: String..., over transport: Transport = .unix) throws {
        try self.init(arguments, over: transport)
    }

    /// Starts a probe on a socket of that kind.
    init(_ arguments: [String], over transport: Transport) throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("milter-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let path = directory.appendingPathComponent("m.sock").path
        let listener =
            switch transport {
            case .unix: ["socket=\(path)"]
            case .inet: ["inet6=no"]
            case .inet6: ["inet6=yes"]
            }
        process = try ServerProcess("MilterProbe", listener + arguments)
        let line = try process.line("listening")
        let port = UInt16(line.dropFirst("listening ".count))
        address = port.map(SocketAddress.tcp) ?? .unix(path)
    }

    deinit {
        try? FileManager.default.removeItem(at: directory)
    }

    var mta: FakeMTA { FakeMTA(address) }

    /// What session number `session` saw, without its number.
    func events(_ session: Int = 1) -> [String] {
        process.lines.compactMap { line in
            line.hasPrefix("\(session) ") ? String(line.dropFirst("\(session) ".count)) : nil
        }
    }

    /// Waits until that many sessions have been made, and all are closed and released.
    func settle(_ sessions: Int = 1) throws {
        try process.wait { lines in
            lines.count { $0.contains(" negotiate ") } == sessions
                && lines.count { $0.hasSuffix(" deinit") } == sessions
        }
    }

    /// The events' names, each run of the same event once.
    ///
    /// Without the aborts.
    func eventNames(_ session: Int = 1) -> [String] {
        events(session).map { String($0.prefix { $0 != " " }) }.reduce(into: []) {
            if $0.last != $1, $1 != "abort" { $0.append($1) }
        }
    }
}

let hello = MailMessage(
    """
    Received: from laptop ([10.0.0.1])
    \tby relay.example.net; Thu, 1 Jan 2026 00:00:00 +0000
    From: Alice <alice@example.net>
    Subject:no space
    X-Test:  two spaces
    X-Fold:
    \tfolded

    Hello
    """)
