import Foundation
import TestKit
import Testing

/// `signet doctor` as scripts use it: exit statuses, JSON.
@Suite("signet doctor")
struct DoctorCommandTests {
    /// A zone with nothing wrong, except what is replaced in it.
    private static let zone = """
        example.org. IN MX 10 mail.example.org.
        example.org. IN TXT "v=spf1 ip4:192.0.2.10 -all"
        _dmarc.example.org. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"
        mail.example.org. IN A 192.0.2.10
        mail.example.org. IN TXT "v=spf1 a -all"
        10.2.0.192.in-addr.arpa. IN PTR mail.example.org.

        """

    private func run(_ zone: String, _ more: [String] = []) throws -> SignetCommand.Result {
        try SignetCommand.run(
            ["doctor", "--dns", "example.org", "--zone", "zone", "--helo", "mail.example.org"]
                + ["--address", "192.0.2.10"] + more, files: ["zone": zone])
    }

    @Test func `what is fine ends with 0, warnings with 1, errors with 2`() throws {
        let fine = try run(Self.zone)
        #expect(fine.status == 0)
        #expect(fine.output.hasPrefix("✔ nothing is wrong\n"))
        let warned = try run(Self.zone.replacing(" -all\"\n_dmarc", with: "\"\n_dmarc"))
        #expect(warned.status == 1)
        #expect(warned.output.hasPrefix("! 1 warning\n"))
        let failed = try run(Self.zone.replacing("ip4:192.0.2.10 -all", with: "+all"))
        #expect(failed.status == 2)
        #expect(failed.output.contains("dns.spf.permits-all"))
    }

    /// A person copies the line into a zone: wrapped, it would be another record.
    @Test func `what is to be copied is in one line`() throws {
        let networks = (20..<30).map { "ip4:192.0.2.\($0)" }.joined(separator: " ")
        let result = try SignetCommand.run(
            ["doctor", "--dns", "example.org", "--zone", "zone", "--helo", "mail.example.org"]
                + ["--address", "192.0.2.10"],
            files: ["zone": Self.zone.replacing("ip4:192.0.2.10", with: networks)],
            environment: ["COLUMNS": "80"])
        #expect(
            result.output.split(separator: "\n").contains {
                $0.hasPrefix("  mend  publish example.org. IN TXT \"v=spf1 \(networks) ")
                    && $0.hasSuffix(" -all\"")
            }, "\(result.output)")
    }

    @Test func `JSON is an array with a key for each part`() throws {
        let result = try run(
            Self.zone.replacing("ip4:192.0.2.10", with: "ip4:192.0.2.11"), ["--json"])
        #expect(result.status == 2)
        let list = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let objects = try #require(list as? [[String: Any]])
        let keys: Set = ["id", "severity", "subject", "what", "why", "mend"]
        #expect(objects.allSatisfy { Set($0.keys) == keys })
        let first = try #require(objects.first as? [String: String])
        #expect(first["id"] == "dns.spf.own-address" && first["severity"] == "error")
        #expect(first["mend"]?.contains("v=spf1 ip4:192.0.2.11 ip4:192.0.2.10 -all") == true)
        let severities = Set(objects.compactMap { $0["severity"] as? String })
        #expect(severities == ["error", "skipped", "ok"])
    }

    @Test func `a main.cf that cannot be read is an error`() throws {
        let directory = try TemporaryDirectory("doctor")
        try directory.makeDirectory("etc/postfix")
        guard unsafe mkfifo(directory.file("etc/postfix/main.cf"), 0o644) == 0 else {
            throw TestKitError("no FIFO")
        }
        try directory.write("", to: "etc/postfix/master.cf")
        let result = try SignetCommand.run(["doctor", "--local", "--root", directory.path])
        #expect(result.status == 2 && result.output.contains("postfix.unreadable"))
        #expect(result.output.contains("not a regular file"))
    }

    @Test func `a directory that is not there, and no domain, are faults of the command line`()
        throws
    {
        let root = try SignetCommand.run(["doctor", "--local", "--root", "/nonexistent"])
        #expect(root.status == 66)
        let directory = try TemporaryDirectory("doctor")
        let none = try SignetCommand.run(["doctor", "--dns", "--root", directory.path])
        #expect(none.status == 64)
    }
}
