internal import Foundation
import Synchronization

/// A private Dovecot: submission, LMTP, IMAP and passwords for Postfix, on loopback.
///
/// Mail belongs to Debian's user `mail` and lies in the instance's temporary directory.
public final class DovecotInstance: Sendable {
    /// What a private Dovecot is to be.
    public struct Configuration: Sendable {
        /// The users and their passwords; any address is a user name.
        public var users: [String: String] = ["user@example.org": "secret"]
        /// The host name it gives itself.
        public var hostName = "imap.example.org"
        /// Where the submission service passes mail on; there is none without.
        public var submissionRelayPort: UInt16?
        /// Whether the relay may be told the client's address and login (XCLIENT).
        public var isRelayTrusted = false
        /// A Postfix whose smtpd asks for passwords at `private/auth`.
        public var authenticatedPostfix: PostfixInstance?
        /// The files of a certificate and its key, for TLS; there is none without.
        public var certificate: (certificate: String, key: String)?
        /// Lines for the end of dovecot.conf, which 2.3 and 2.4 both understand.
        public var extra = ""

        /// One user and no submission.
        public init() {}
    }

    /// The configuration that it was made with.
    public let configuration: Configuration
    /// The directory that holds all of it.
    public let directory: TemporaryDirectory
    /// The port of LMTP.
    public let lmtpPort: UInt16
    /// The port of IMAP.
    public let imapPort: UInt16
    /// The port of submission, if the configuration names a relay.
    public let submissionPort: UInt16

    private let master = Mutex<ChildProcess?>(nil)

    /// Makes and starts an instance, after `change` has had its say about the configuration.
    public init(_ change: (inout Configuration) -> Void = { _ in }) throws {
        var configuration = Configuration()
        change(&configuration)
        self.configuration = configuration
        directory = try TemporaryDirectory("signet-dovecot")
        let ports = try LoopbackPort.free(3)
        (lmtpPort, imapPort, submissionPort) = (ports[0], ports[1], ports[2])
        try directory.makeDirectory("mail", owner: "mail", group: "mail")
        let users = configuration.users.map { "\($0.key):{PLAIN}\($0.value)\n" }.joined()
        try directory.write(users, to: "passwd")
        try directory.write(try text(), to: "dovecot.conf")
        try start()
    }

    deinit { stop() }

    /// Ends all of its processes.
    public func stop() {
        master.withLock { $0.take() }?.stop()
    }

    /// What Dovecot has logged.
    public var log: String {
        (try? String(contentsOfFile: directory.file("log"), encoding: .utf8)) ?? ""
    }

    /// A client connected to the submission service.
    public func connectSubmission() throws -> SMTPClient {
        try SMTPClient(port: submissionPort)
    }

    private func start() throws {
        let process = try ChildProcess(
            "/usr/sbin/dovecot", ["-F", "-c", directory.file("dovecot.conf")],
            descriptors: [
                .file(directory.file("log"), as: 1), .file(directory.file("log"), as: 2),
            ])
        master.withLock { $0 = process }
        var ports = [lmtpPort, imapPort]
        if configuration.submissionRelayPort != nil { ports.append(submissionPort) }
        if let postfix = configuration.authenticatedPostfix {
            // An smtpd that finds nobody there ends.
            let path = "\(postfix.queueDirectory)/private/auth"
            _ = try wait(for: "Dovecot to listen on \(path)\n\(log)") {
                try? LoopbackSocket.connect(path: path)
            }
        }
        for port in ports {
            _ = try wait(for: "Dovecot to listen on \(port)\n\(log)") {
                guard process.end == nil else {
                    throw TestKitError("Dovecot ended at start:\n\(log)")
                }
                return try? LoopbackSocket.connect(port: port)
            }
        }
    }
}
