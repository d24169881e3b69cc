import TestKit
import Testing

/// A host whose mail `signet-dkim` signs with two keys, and the world outside it.
struct SigningHost {
    let sink: SMTPSink
    let keys: SigningKeys
    let postfix: PostfixInstance

    /// Starts Postfix with its milter at `signet/dkim.sock`; the daemon is started apart.
    init(_ change: (inout PostfixConfiguration) -> Void = { _ in }) throws {
        let sink = try SMTPSink()
        self.sink = sink
        keys = try SigningKeys()
        postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.settings["smtpd_milters"] = "unix:signet/dkim.sock"
            configuration.settings["non_smtpd_milters"] = "unix:signet/dkim.sock"
            change(&configuration)
        }
    }

    /// The daemon's configuration; `directives` are further lines.
    func configuration(_ directives: String = "") -> String {
        keys.directives + directives + "\nSocket unix:\(postfix.socketPath("dkim"))\n"
    }

    /// Starts the daemon, on `socket` if systemd is to hold it.
    func startDaemon(
        _ directives: String = "", socket: LoopbackSocket? = nil
    ) throws -> DaemonProcess {
        try DaemonProcess("signet-dkim", configuration: configuration(directives), socket: socket)
    }

    /// A message whose white space gives canonicalization something to do.
    static func message(_ name: String) -> [UInt8] {
        Array(
            """
            From: Ann <ann@example.org>\r
            To: bob@example.com,\r
            \t carol@example.com\r
            Subject:  \(name)  of  spaces\r
            Date: Sat, 21 Nov 2026 08:00:00 +0000\r
            Message-ID: <\(name)@example.org>\r
            \r
            .a dot  and  spaces \r
            \r
            \r

            """.utf8)
    }

    /// Expects that `message` has both signatures, and that each peer verifies both.
    func expectTwoGoodSignatures(
        _ message: SMTPSink.Message, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(message.values(of: "DKIM-Signature").count == 2, sourceLocation: sourceLocation)
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(message.bytes, records: keys.records)
            #expect(Set(verdicts) == keys.goodVerdicts, "\(peer)", sourceLocation: sourceLocation)
        }
    }
}
