import Foundation
import MailCrypto
import TestKit
import Testing

/// What `signet check` says of signatures whose header fields were changed on the way.
@Suite struct HeaderTrialTests {
    private static let pair = Result { try SigningPair { try PrivateKey.generateEd25519() } }
    private static let rsa = Result { try SigningPair { try PrivateKey.generateRSA(bits: 2048) } }

    private static let message = """
        From: Ann Bee <ann@example.org>
        To: bob@example.net
        Subject: Hello
        Date: Sat, 21 Nov 2026 08:00:00 +0000
        Message-ID: <1@example.org>

        Good morning.

        """

    /// The row about the signature after a change of the signed message.
    private static func row(
        _ pair: SigningPair, _ message: String = message, _ more: [String] = [],
        _ change: (String) -> String
    ) throws -> String {
        let signed = try pair.sign(message, more)
        let result = try SignetCommand.run(
            ["check", "message", "--zone", "zone"],
            files: ["message": change(signed.output), "zone": pair.zone])
        return result.output.split(separator: "\n").first { $0.hasPrefix("DKIM ") }.map(String.init)
            ?? result.output + result.errors
    }

    private static let changes: [(old: String, new: String, condition: String)] = [
        ("\nSubject: Hello", "\nSubject: [list] Hello", "\"[list]\" were not in Subject"),
        ("\nSubject: Hello", "\nSubject: ***SPAM*** Hello", "\"***SPAM***\" were not in Subject"),
        ("\nFrom: Ann Bee", "\nFrom: \"Ann Bee\"", "the name in From had no quotation marks"),
        (
            "\nFrom: Ann Bee <ann@example.org>",
            "\nReply-To: Ann Bee <ann@example.org>\nFrom: Ann Bee via List <list@lists.example>",
            "From were what Reply-To says, and Reply-To were not there"
        ),
        (
            "\nTo: bob@example.net", "\nTo: bob@example.net\nTo: eve@example.net",
            "To 2 of 2 were not there"
        ),
        (
            "\nSubject: Hello", "\nReply-To: eve@example.net\nSubject: Hello",
            "Reply-To were not there"
        ),
    ]

    @Test(arguments: changes)
    func `a change that somebody made is named`(
        _ old: String, _ new: String, _ condition: String
    ) throws {
        for pair in [try Self.pair.get(), try Self.rsa.get()] {
            let row = try Self.row(pair) { $0.replacing(old, with: new) }
            #expect(row.hasPrefix("DKIM fail"), "\(row)")
            #expect(row.hasSuffix("; it would verify if \(condition)"), "\(row)")
        }
    }

    @Test func `two changes of a list are found together`() throws {
        let row = try Self.row(try Self.pair.get()) {
            $0.replacing("\nSubject: Hello", with: "\nSubject: [list] Hello")
                .replacing(
                    "\nFrom: Ann Bee <ann@example.org>",
                    with: "\nX-Original-From: Ann Bee <ann@example.org>\nFrom: l@lists.example")
        }
        #expect(
            row.hasSuffix(
                "if \"[list]\" were not in Subject, and From were what X-Original-From says"),
            "\(row)")
    }

    @Test func `text that was encoded, and a field that was folded`() throws {
        let subject = Self.message.replacing("Subject: Hello", with: "Subject: Grüße aus Köln")
        let encoded = try Self.row(try Self.pair.get(), subject) {
            $0.replacing(
                "Subject: Grüße aus Köln",
                with: "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= aus =?UTF-8?B?S8O2bG4=?=")
        }
        #expect(encoded.hasSuffix("if Subject were not encoded (RFC 2047)"), "\(encoded)")
        let folded = try Self.row(
            try Self.pair.get(), Self.message, ["--canonicalization", "simple/simple"]
        ) { $0.replacing("\nFrom: Ann Bee <", with: "\nFrom: Ann Bee\n <") }
        #expect(folded.hasSuffix("if From were not folded"), "\(folded)")
    }

    @Test func `nothing is said that is not so`() throws {
        let pair = try Self.pair.get()
        for (old, new) in [
            ("Subject: Hello", "Subject: Goodbye"), ("Subject: Hello", "Subject: [list] Goodbye"),
            ("bob@example.net", "eve@example.net"),
        ] {
            let row = try Self.row(pair) { $0.replacing(old, with: new) }
            #expect(row.hasPrefix("DKIM fail") && !row.contains("would verify"), "\(row)")
        }
        // A change of the body is no matter of header fields.
        let row = try Self.row(pair) {
            $0.replacing("morning", with: "evening").replacing(": Hello", with: ": [l] Hello")
        }
        #expect(row.contains("the body was changed") && !row.contains("would verify"), "\(row)")
    }

    @Test func `a hostile message takes no time`() throws {
        let marks = String(repeating: "[x] ", count: 3_000)
        let names = String(repeating: "to:", count: 5_000)
        let hostile =
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; h=from:subject:\(names)to;\n"
            + " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\nFrom: a@example.org\n"
            + "Subject: \(marks)\n" + String(repeating: "To: b@example.net\n", count: 2_000) + "\n"
        let pair = try Self.rsa.get()
        let result = try SignetCommand.run(
            ["check", "message", "--zone", "zone", "--json"],
            files: ["message": hostile, "zone": pair.zone])
        #expect(result.status == 0, "\(result.errors)")
    }
}
