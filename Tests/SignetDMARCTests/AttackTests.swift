import Foundation
import MailAuth
import MailSyntax
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// The attack classes of published research on forged mail, a file each in Attacks: none makes a forged message pass.
///
/// A file begins with what the SMTP session said and what is expected; the message follows an empty line. The client is one from
/// which evil.example may send.
@Suite struct AttackTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Attacks")

    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".txt") }.sorted()

    @Test(arguments: names)
    func `does not pass for the victim`(_ name: String) throws {
        let attack = try Attack(Self.folder.appending(path: name))
        let passage = try attack.exchange.pass(attack.message)
        if let refusal = attack.refusal {
            #expect(passage.refusal?.hasPrefix(refusal) == true, "\(passage.verdict)")
            return
        }
        let dmarc = try #require(try passage.methods()["dmarc"])
        #expect(dmarc.result == attack.result, "\(passage.results)")
        #expect(dmarc["header", "from"] == attack.author, "\(passage.results)")
        let author = dmarc["header", "from"] ?? ""
        #expect(!(dmarc.result == "pass" && author.contains("victim")), "\(passage.results)")
    }

    @Test func `there are the attacks of each class`() { #expect(Self.names.count >= 25) }
}

/// One file of Attacks.
struct Attack {
    var exchange = Exchange()
    var result = ""
    var author: String?
    var refusal: String?
    var message: MailMessage

    init(_ file: URL) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        let parts = text.split(separator: "\n\n", maxSplits: 1)
        message = MailMessage(String(parts[1]).replacing("{NUL}", with: "\0"))
        for line in parts[0].split(separator: "\n") where !line.hasPrefix("#") {
            let pair = line.split(separator: ":", maxSplits: 1)
            let value = pair[1].trimmingCharacters(in: .whitespaces)
            switch pair[0] {
            case "helo": exchange.helo = value
            case "mail": exchange.sender = value
            case "configuration": exchange.configuration += value + "\n"
            case "dmarc": result = value
            case "author": author = value
            case "refused": refusal = value
            default: throw TestKitError("\(file.lastPathComponent): \(line)")
            }
        }
    }
}
