import Foundation
import MailAuth
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// From fields that break RFC 5322: which domain counts (RFC 9989, sections 5.3.1 and 11.5).
@Suite struct FromFieldTests {
    static let spoofed = fields("spoofed.txt")
    static let genuine = fields("genuine.txt")

    @Test func `the tables are there`() {
        #expect(Self.spoofed.count >= 50 && Self.genuine.count >= 40)
    }

    @Test(arguments: spoofed) func `is refused where failures are`(_ value: String) throws {
        let passage = try Exchange(configuration: "RejectFailures yes").pass(message(value))
        #expect(passage.refusal?.hasPrefix("550 5.7.") == true, "\(passage.results)")
    }

    @Test(arguments: spoofed) func `is marked otherwise`(_ value: String) throws {
        let dmarc = try #require(try Exchange().pass(message(value)).methods()["dmarc"])
        #expect(dmarc.result == "fail" || dmarc.result == "permerror", "\(dmarc)")
        #expect(dmarc.comment?.contains("dis=quarantine;") == true, "\(dmarc)")
    }

    @Test(arguments: genuine) func `passes where its domain does`(_ value: String) throws {
        var exchange = Exchange(configuration: "RejectFailures yes")
        exchange.address = "192.0.2.1"
        exchange.sender = "<boss@victim.example>"
        let dmarc = try #require(try exchange.pass(message(value)).methods()["dmarc"])
        #expect(dmarc.result == "pass", "\(dmarc)")
        #expect(dmarc["header", "from"] == "victim.example")
    }

    @Test(arguments: genuine) func `fails where its domain does`(_ value: String) throws {
        let passage = try Exchange(configuration: "RejectFailures yes").pass(message(value))
        #expect(
            passage.refusal == "550 5.7.26 rejected by DMARC policy for victim.example (p=reject)")
    }

    /// RFC 9989, section 11.5: many domains must not hide one.
    @Test(arguments: [1, 5, 6, 20, 30, 200, 900])
    func `no number of domains hides one`(_ count: Int) throws {
        let others = (0..<count).map { "a@x\($0).example" }.joined(separator: ", ")
        for value in ["\(others), v@victim.example", "Board: \(others), v@victim.example;"] {
            let passage = try Exchange(configuration: "RejectFailures yes").pass(message(value))
            #expect(passage.refusal?.hasPrefix("550 5.7.") == true, "\(count)")
        }
    }

    private func message(_ text: String) -> MailMessage {
        let values = text.components(separatedBy: " || ").map {
            $0.replacing("{NUL}", with: "\0")
        }
        var message = MailMessage.from(values[0])
        for value in values.dropFirst() {
            message.fields.insert(MailMessage.Field("From", " " + value), at: 1)
        }
        return message
    }

    private static func fields(_ name: String) -> [String] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "FromFields/\(name)")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }
}
