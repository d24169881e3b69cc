import Foundation
import Testing

/// `signet spf` as scripts use it: words, exit statuses, JSON.
@Suite("signet spf")
struct SPFCommandTests {
    static let zone = """
        $ORIGIN example.com.
        @ TXT "v=spf1 include:_spf.example.org mx -all exp=why.%{d}"
        @ MX 10 mail
        mail A 192.0.2.1
        why TXT "no %{i} here"
        soft TXT "v=spf1 ~all"
        neutral TXT "v=spf1"
        broken TXT "v=spf1 moo"
        _spf.example.org. TXT "v=spf1 ip4:198.51.100.0/24 ~all"
        """

    private func run(_ arguments: String...) throws -> (status: Int32, output: String) {
        let result = try SignetCommand.run(
            ["spf", "--zone", "zone"] + arguments, files: ["zone": SPFCommandTests.zone])
        return (result.status, result.output)
    }

    @Test(
        "the first line is the result's word, and the status its number",
        arguments: [
            ("192.0.2.1", "u@example.com", "pass", 0), ("192.0.2.9", "u@example.com", "fail", 1),
            ("192.0.2.9", "u@soft.example.com", "softfail", 2),
            ("192.0.2.9", "u@neutral.example.com", "neutral", 3),
            ("192.0.2.9", "u@broken.example.com", "permerror", 4),
            ("192.0.2.9", "u@nothing.example.com", "none", 6), ("192.0.2.9", "", "softfail", 2),
        ] as [(String, String, String, Int32)])
    func words(_ ip: String, _ from: String, _ word: String, _ status: Int32) throws {
        let result = try run("--ip", ip, "--helo", "soft.example.com", "--from", from)
        #expect(result.output.split(separator: "\n").first.map(String.init) == word)
        #expect(result.status == status)
    }

    /// RFC 6531: a sender is UTF-8 as it comes; what a terminal could obey is not.
    @Test(
        "an internationalized sender is shown as it is",
        arguments: [
            ("jörg@soft.example.com", "jörg@soft.example.com"),
            ("用户@bücher.example", "用户@bücher.example"),
            ("a\u{1B}[2J\u{202E}b@soft.example.com", "a?[2J?b@soft.example.com"),
        ])
    func internationalSender(_ sender: String, _ shown: String) throws {
        let output = try run("--ip", "192.0.2.9", "--helo", "h.example", "--from", sender).output
        #expect(output.contains("the envelope sender \(shown)\n"))
    }

    @Test("the header field is shown where it is asked for")
    func field() throws {
        let client = ["--ip", "198.51.100.3", "--helo", "h.example", "--from", "u@example.com"]
        for flags in [[], ["-v"]] {
            let result = try SignetCommand.run(
                ["spf", "--zone", "zone"] + client + flags, files: ["zone": Self.zone])
            let shown = result.output.contains(
                "\nReceived-SPF: Pass (mailfrom) identity=mailfrom;")
            #expect(shown == (flags == ["-v"]))
        }
    }

    @Test("JSON has every key, with null where there is nothing")
    func json() throws {
        for ip in ["192.0.2.1", "192.0.2.9"] {
            let output = try run(
                "--ip", ip, "--helo", "h.example", "--from", "u@example.com", "--json"
            ).output
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
            let promised: Set = [
                "result", "domain", "identity", "mechanism", "explanation", "lookups",
                "void_lookups",
                "received_spf",
            ]
            #expect(promised.isSubset(of: object.keys))
            #expect(object["lookups"] as? Int == 2)
            #expect((object["explanation"] is NSNull) == (ip == "192.0.2.1"))
        }
    }

    @Test("wrong use ends with 64")
    func usage() throws {
        #expect(try run("--ip", "nonsense", "--helo", "h.example").status == 64)
        #expect(try run("--ip", "192.0.2.1").status == 64)
        #expect(try run("--ip", "192.0.2.1", "--helo", "h", "--nameserver", "::1").status == 64)
    }
}
