internal import MailAuth
internal import MailDNS
internal import TestKit

/// The programs that are measured, started with the configurations of the guides.
struct Bench {
    /// The keys that all use.
    let keys: Keys
    private let nameserver: NSDServer
    private let directory: TemporaryDirectory
    /// Where Debian puts the peer.
    static let opendkim = "/usr/sbin/opendkim"

    /// Prepares the keys and a name server that has the public one.
    init() throws {
        keys = try Keys()
        nameserver = try NSDServer(keys.zone)
        directory = try TemporaryDirectory("signet-benchmark")
    }

    private var ours: Transcript.Mail {
        Transcript.Mail(
            clientName: "localhost", clientAddress: "127.0.0.1", message: Mail.ordinary)
    }

    private func inbound() throws -> Transcript.Mail {
        Transcript.Mail(message: try Mail.signed(Mail.ordinary, with: keys.rsa))
    }

    /// The filter that does nothing, with mail as the signers get it or with a signature on it.
    func null(inbound isInbound: Bool = false) throws -> Subject {
        let socket = directory.file(isInbound ? "null-in" : "null-out")
        let process = try ChildProcess(try DaemonProcess.path(of: "NullFilter"), [socket])
        return try .started(
            "null filter", socket, process, pid: process.pid, isInbound ? inbound() : ours, nil)
    }

    /// Our signer with one key.
    func signer(_ key: SigningKey, _ extra: String = "SyslogSuccess no\n") throws -> Subject {
        let socket = directory.file("sign-\(key.selector)-\(extra.utf8.count)")
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: keys.directives(key) + extra + "Socket unix:\(socket)\n",
            directory: try TemporaryDirectory("signet-benchmark"))
        return try .started(
            "signet-dkim signs, \(key.algorithm.rawValue)", socket, daemon, pid: daemon.pid, ours,
            "a=\(key.algorithm.rawValue);")
    }

    /// Our verifier, which asks the name server.
    func verifier(_ extra: String = "SyslogSuccess no\n") throws -> Subject {
        let socket = directory.file("verify-\(extra.utf8.count)")
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: """
                Nameservers 127.0.0.1@\(nameserver.nameserver.port)
                Socket unix:\(socket)
                \(extra)
                """,
            directory: try TemporaryDirectory("signet-benchmark"))
        return try .started(
            "signet-dkim verifies, rsa-sha256", socket, daemon, pid: daemon.pid, inbound(),
            "dkim=pass")
    }

    /// OpenDKIM as a signer.
    func peerSigner(_ key: SigningKey) throws -> Subject {
        try peer(
            "OpenDKIM signs, \(key.algorithm.rawValue)", "peer-\(key.selector)",
            keys.directives(key) + "Mode s\nSignatureAlgorithm \(key.algorithm.rawValue)\n", ours,
            "a=\(key.algorithm.rawValue);")
    }

    /// OpenDKIM as a verifier, with the key in a file: its resolver is spared.
    func peerVerifier() throws -> Subject {
        let table = try directory.write("\(keys.record.name) \(keys.record.text)\n", to: "records")
        return try peer(
            "OpenDKIM verifies, rsa-sha256", "peer-verify", "Mode v\nTestDNSData file:\(table)\n",
            inbound(), "dkim=pass")
    }

    private func peer(
        _ name: String, _ socketName: String, _ directives: String, _ mail: Transcript.Mail,
        _ proof: String
    ) throws -> Subject {
        let socket = directory.file(socketName)
        let configuration = try directory.write(
            directives + "RequireSafeKeys no\nSyslog no\nSocket local:\(socket)\n",
            to: "\(socketName).conf")
        let process = try ChildProcess(Self.opendkim, ["-f", "-x", configuration])
        return try .started(name, socket, process, pid: process.pid, mail, proof)
    }
}
