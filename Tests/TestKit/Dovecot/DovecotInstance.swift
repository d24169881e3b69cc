internal import Foundation
import Synchronization

/// A private Dovecot: submission, LMTP, IMAP and passwords for Postfix, without TLS, on loopback.
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
        /// Lines for the end of dovecot.conf.
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
        try directory.write(text, to: "dovecot.conf")
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
        for port in ports {
            _ = try wait(for: "Dovecot to listen on \(port)\n\(log)") {
                guard process.end == nil else {
                    throw TestKitError("Dovecot ended at start:\n\(log)")
                }
                return try? LoopbackSocket.connect(port: port)
            }
        }
    }

    private var text: String {
        let relay = configuration.submissionRelayPort
        var text = """
            base_dir = \(directory.path)/run
            state_dir = \(directory.path)/state
            log_path = \(directory.path)/log
            protocols = imap lmtp\(relay == nil ? "" : " submission")
            listen = 127.0.0.1
            hostname = \(configuration.hostName)
            instance_name = \(directory.path)
            ssl = no
            disable_plaintext_auth = no
            auth_mechanisms = plain login
            first_valid_uid = 1
            first_valid_gid = 1
            mail_location = maildir:~/Maildir
            passdb {
              driver = passwd-file
              args = \(directory.path)/passwd
            }
            userdb {
              driver = static
              args = uid=mail gid=mail home=\(directory.path)/mail/%u
            }
            service imap-login {
              inet_listener imap {
                port = \(imapPort)
              }
              inet_listener imaps {
                port = 0
              }
            }
            service lmtp {
              inet_listener lmtp {
                port = \(lmtpPort)
              }
            }

            """
        if let relay {
            text += """
                submission_relay_host = 127.0.0.1
                submission_relay_port = \(relay)
                submission_relay_trusted = \(configuration.isRelayTrusted ? "yes" : "no")
                service submission-login {
                  inet_listener submission {
                    port = \(submissionPort)
                  }
                  inet_listener submissions {
                    port = 0
                  }
                }

                """
        }
        if let postfix = configuration.authenticatedPostfix {
            text += """
                service auth {
                  unix_listener \(postfix.queueDirectory)/private/auth {
                    mode = 0660
                    user = postfix
                    group = postfix
                  }
                }

                """
        }
        return text + configuration.extra
    }
}
