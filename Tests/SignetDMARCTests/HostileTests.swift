import MailAuth
import MailDNS
import TestKit
import Testing

@testable import signet_dmarc

/// Mail and records that are meant to hurt: each has a defined result.
@Suite struct HostileTests {
    private func dmarc(_ author: String, _ change: (inout Exchange) -> Void = { _ in }) throws
        -> MethodResult
    {
        var exchange = Exchange()
        change(&exchange)
        return try #require(try exchange.pass(.from(author)).methods()["dmarc"])
    }

    @Test func `a wildcard record is a record`() throws {
        let result = try dmarc("x@a.b.wild.example") {
            $0.zone += "\n*.wild.example. TXT \"v=DMARC1; p=reject\"\n"
        }
        #expect(result.result == "fail")
    }

    @Test func `a wildcard of other text makes no policy`() throws {
        let result = try dmarc("x@a.b.wild.example") {
            $0.zone += "\n*.wild.example. TXT \"v=spf1 +all\"\n"
        }
        #expect(result.result == "none")
    }

    @Test func `a record of 64 kB is read in bounds`() throws {
        let filler = (0..<250).map { _ in "\"\(String(repeating: "x", count: 250));\"" }
            .joined(separator: " ")
        let result = try dmarc("x@long.example") {
            $0.zone += "\n_dmarc.long.example. TXT \"v=DMARC1; p=reject;\" \(filler)\n"
        }
        #expect(["fail", "none"].contains(result.result))
    }

    @Test func `a walk over many labels ends`() throws {
        let labels = (0..<60).map { "l\($0)" }.joined(separator: ".")
        #expect(try dmarc("x@\(labels).victim.example").result == "fail")
        #expect(try dmarc("x@\(labels).nowhere.example").result == "none")
    }

    @Test func `several records are none`() throws {
        let result = try dmarc("x@twice.example") {
            $0.zone += """

                _dmarc.twice.example. TXT "v=DMARC1; p=none"
                _dmarc.twice.example. TXT "v=DMARC1; p=reject"

                """
        }
        #expect(result.result == "none")
    }

    @Test(arguments: ["", " ", "\u{7F}", "(", "[IPv6:::1]", String(repeating: "a.", count: 5000)])
    func `odd HELO names do no harm`(_ name: String) throws {
        #expect(
            try dmarc("ceo@victim.example") {
                $0.helo = name
                $0.sender = "<>"
            }.result == "fail")
    }

    @Test(arguments: ["<", ">", "<>>", "\"", "<\"@victim.example>", "<@>", "<@victim.example>"])
    func `odd senders do no harm`(_ sender: String) throws {
        #expect(try dmarc("ceo@victim.example") { $0.sender = sender }.result == "fail")
    }

    @Test func `a client without an address has no SPF`() throws {
        let methods = try Exchange(address: nil).pass(.from("ceo@victim.example")).methods()
        #expect(methods["spf"]?.result == "none")
        #expect(methods["dmarc"]?.result == "fail")
    }

    @Test func `a dead DNS is a temporary error for each part`() throws {
        let exchange = Exchange(failing: ["evil.example", "_dmarc.victim.example"])
        let methods = try exchange.pass(.from("ceo@victim.example")).methods()
        #expect(methods["spf"]?.result == "temperror")
        #expect(methods["dmarc"]?.result == "temperror")
    }
}
