import Foundation
import Glibc
import MailDNS
import TestKit

/// signet-spf in a process of its own, with a scripted DNS server.
final class RunningDaemon: Sendable {
    let process: ChildProcess
    let directory: TemporaryDirectory
    let dns: ScriptedDNSServer

    /// The daemon's socket.
    var socket: String { directory.file("spf.sock") }

    /// Starts the daemon with these settings, and waits until it listens.
    ///
    /// - Parameters:
    ///   - settings: lines of the configuration.
    ///   - zone: the DNS; nil for that of `World`.
    ///   - directory: where configuration, socket and log are; nil for a new one.
    ///   - descriptors: how many it may have open; nil for as many as the tests.
    /// - Throws: what keeps it from starting.
    init(
        _ settings: String = "", zone: ZoneResolver? = nil, in directory: TemporaryDirectory? = nil,
        descriptors: Int? = nil
    ) throws {
        self.directory = try directory ?? TemporaryDirectory("signet-spf")
        dns = try ScriptedDNSServer(zone ?? World.resolver())
        let path = self.directory.path
        try self.directory.write("Nameservers \(dns.nameserver)\n\(settings)\n", to: "spf.conf")
        let limit = descriptors.map { "ulimit -n \($0); " } ?? ""
        process = try ChildProcess(
            "/bin/sh",
            [
                "-c", limit + "exec \"$0\" \"$@\"", ServerProcess.products.path + "/signet-spf",
                "-x", "\(path)/spf.conf", "-p", "unix:\(path)/spf.sock",
            ],
            descriptors: [.file("\(path)/log", as: 2)])
        _ = try wait(for: "signet-spf to listen:\n\(log)") {
            guard process.end == nil else { throw TestKitError("it ended: \(log)") }
            return try? LoopbackSocket.connect(path: socket)
        }
    }

    deinit {
        process.kill()
        dns.stop()
    }

    /// What it has logged.
    var log: String {
        let descriptor = unsafe open(directory.file("log"), O_RDONLY)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe read(descriptor, &chunk, chunk.count), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A connection.
    func connect(seconds: Int = 30) throws -> PolicyClient {
        PolicyClient(try LoopbackSocket.connect(path: socket, seconds: seconds))
    }
}

/// A client of the policy protocol, which says exactly what it is told.
final class PolicyClient {
    let socket: LoopbackSocket
    private var received: [UInt8] = []

    init(_ socket: LoopbackSocket) { self.socket = socket }

    /// Sends text as it is.
    func send(_ text: String) throws { try socket.write(Array(text.utf8)) }

    /// The next answer, without "action=" and its line ends; nil when the connection is closed.
    func answer() throws -> String? {
        while true {
            if let end = received.indices.dropLast().first(where: {
                received[$0] == 10 && received[$0 + 1] == 10
            }) {
                let line = String(decoding: received[..<end], as: UTF8.self)
                received.removeSubrange(...(end + 1))
                guard line.hasPrefix("action=") else { throw TestKitError("no answer: \(line)") }
                return String(line.dropFirst("action=".count))
            }
            let more = try socket.read()
            if more.isEmpty { return nil }
            received += more
        }
    }

    /// Asks about a sender and returns the answer.
    func ask(from sender: String, instance: String = "1") throws -> String? {
        try send(Self.question(from: sender, instance: instance))
        return try answer()
    }

    /// A question as Postfix asks it.
    static func question(
        from sender: String, helo: String = "none.example", client: String = "192.0.2.1",
        instance: String = "1"
    ) -> String {
        """
        request=smtpd_access_policy
        protocol_state=RCPT
        protocol_name=ESMTP
        client_address=\(client)
        client_name=unknown
        client_port=40000
        reverse_client_name=unknown
        server_address=192.0.2.25
        server_port=25
        helo_name=\(helo)
        sender=\(sender)
        recipient=to@mx.example
        recipient_count=0
        queue_id=
        instance=\(instance)
        size=0
        etrn_domain=
        stress=
        sasl_method=
        sasl_username=
        sasl_sender=
        ccert_subject=
        ccert_issuer=
        ccert_fingerprint=
        ccert_pubkey_fingerprint=
        encryption_protocol=
        encryption_cipher=
        encryption_keysize=0
        policy_context=


        """
    }
}
