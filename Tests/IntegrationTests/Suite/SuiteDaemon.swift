import Foundation
import Glibc
import TestKit

/// One of our daemons as systemd keeps it: systemd holds the socket, and the process comes and goes.
final class SuiteDaemon {
    /// The short name: `dkim`.
    let name: String
    /// The socket in Postfix's queue directory.
    let path: String

    private let configuration: String
    private var socket: LoopbackSocket?
    private var process: DaemonProcess?
    private var oldLogs: [String] = []

    /// Makes the socket, with the owner and mode of systemd/signet-NAME.socket, and starts the daemon.
    init(_ name: String, path: String, configuration: String) throws {
        self.name = name
        self.path = path
        self.configuration = configuration
        try openSocket()
        try start()
    }

    /// What all its processes have logged.
    var log: [String] { oldLogs + (process?.log ?? []) }

    /// `systemctl start` of the socket.
    func openSocket() throws {
        let socket = try LoopbackSocket.listen(path: path, mode: 0o660)
        try FileManager.default.setAttributes(
            [.groupOwnerAccountName: "postfix"], ofItemAtPath: path)
        self.socket = socket
    }

    /// `systemctl stop` of the socket, with RemoveOnStop.
    func closeSocket() {
        _ = unsafe unlink(path)
        socket?.shut()
        socket = nil
    }

    /// Starts the process, on the socket.
    func start() throws {
        process = try DaemonProcess(
            "signet-\(name)", configuration: configuration, socket: socket)
    }

    /// Asks the process to end; the socket stays, and whoever connects waits.
    func stop() throws {
        guard let process else { return }
        let end = try process.stop(seconds: 30)
        forget()
        guard end == .exited(0) else {
            throw TestKitError("signet-\(name): \(end)\n\(log.joined(separator: "\n"))")
        }
    }

    /// Kills the process with SIGKILL.
    func kill() {
        process?.kill()
        forget()
    }

    /// Reloads the configuration with one more line, and returns when the daemon has said `word` of it.
    func reload(adding line: String, until word: String) throws {
        guard let process else { return }
        let file = process.directory.file("signet-\(name).conf")
        try process.directory.write("\(configuration)\n\(line)\n", to: "new")
        try Command.require("mv", [process.directory.file("new"), file])
        let before = process.log.count
        process.send(SIGHUP)
        _ = try wait(for: "\"\(word)\" from signet-\(name): \(process.log.suffix(5))") {
            process.log.dropFirst(before).contains { $0.contains(word) } ? true : nil
        }
    }

    private func forget() {
        oldLogs += process?.log ?? []
        process = nil
    }
}
