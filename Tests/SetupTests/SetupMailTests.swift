import Foundation
import TestKit
import Testing

/// The configuration that setup writes works: programs accept it, and mail is signed and verified with it.
@Suite(.serialized) struct SetupMailTests {
    /// The configuration of a tree where a program of this host can read it.
    private static func configuration(_ name: String, of host: HostTree) throws -> String {
        for table in ["KeyTable", "SigningTable"] {
            let text = host.text("etc/signet/\(table)")
            try host.write(
                "etc/signet/\(table)",
                text
                    .replacing("/etc/signet/keys", with: "\(host.path)/etc/signet/keys"))
        }
        return host.text("etc/signet/\(name).conf")
            .replacing("/etc/signet/", with: "\(host.path)/etc/signet/")
    }

    @Test(arguments: ["dkim", "dmarc", "scrub", "spf"])
    func `each daemon accepts its file`(_ name: String) throws {
        let host = try HostTree()
        try host.apply()
        try Command.require(
            "chown", ["-R", "root:root", "\(host.path)/etc/signet/keys"])
        try host.write("\(name).conf", Self.configuration(name, of: host))
        let result = try Command.run(
            DaemonProcess.path(of: "signet-\(name)"),
            [
                "-n", "-x", "\(host.path)/\(name).conf", "-p", "unix:\(host.path)/socket", "-u",
                "root",
            ])
        #expect(result.succeeded, "\(result.errors)\(result.output)")
    }

    @Test func `mail through the configured Postfix is signed with both keys`() throws {
        let sink = try SMTPSink()
        let postfix = try PostfixInstance { $0.relayPort = sink.port }
        let host = try HostTree()
        for name in ["main.cf", "master.cf"] {
            let text = try String(
                contentsOfFile: "\(postfix.configurationDirectory)/\(name)", encoding: .utf8)
            try host.write("etc/postfix/\(name)", text)
        }
        for name in ["scrub", "dmarc", "spf"] {
            try FileManager.default.removeItem(atPath: "\(host.path)/usr/sbin/signet-\(name)")
        }
        let result = try host.apply(["--json"])
        #expect(result.succeeded, "\(result.errors)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        var records: [String: String] = [:]
        for record in try #require(object["records"] as? [[String: Any]])
        where record["type"] as? String == "TXT" {
            records[record["name"] as? String ?? ""] = record["value"] as? String
        }
        try Command.require("chown", ["-R", "root:root", "\(host.path)/etc/signet/keys"])
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: Self.configuration("dkim", of: host)
                + "\nSocket unix:\(postfix.socketPath("dkim"))\n")
        for name in ["main.cf", "master.cf"] {
            let path = "\(postfix.configurationDirectory)/\(name)"
            try host.text("etc/postfix/\(name)").write(
                toFile: path, atomically: true, encoding: .utf8)
            // Postfix's programs wait until main.cf is a second old.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: path)
        }
        try Command.require("/usr/sbin/postfix", ["-c", postfix.configurationDirectory, "reload"])
        let text = """
            From: Ann <ann@example.org>
            To: bob@example.com
            Subject: set up
            Date: Sat, 21 Nov 2026 08:00:00 +0000
            Message-ID: <setup@example.org>

            Hello

            """
        try postfix.sendmail(["-f", "ann@example.org", "bob@example.com"], Array(text.utf8))
        let message = try sink.waitForMessage(containing: "setup@example.org")
        #expect(message.values(of: "DKIM-Signature").count == 2)
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(message.bytes, records: records)
            #expect(
                Set(verdicts) == [
                    DKIMPeerVerdict(
                        domain: "example.org", selector: "mail", algorithm: "rsa-sha256"),
                    DKIMPeerVerdict(
                        domain: "example.org", selector: "mail-ed25519",
                        algorithm: "ed25519-sha256"),
                ], "\(peer)")
        }
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }
}
