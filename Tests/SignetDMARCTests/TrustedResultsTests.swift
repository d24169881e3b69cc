import MailAuth
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// Results of others: which fields and which results count (RFC 8601, sections 2.3, 2.7, 4 and 4.1; RFC 6008, section 4).
@Suite struct TrustedResultsTests {
    private static let trusting = """
        SPFSelfValidate no
        DKIMSelfValidate no
        TrustedAuthservIDs relay.example

        """

    /// Passes a message with these fields, the topmost first.
    private func pass(
        _ fields: [(String, String)], sender: String = "<u@victim.example>", more: String = ""
    ) throws -> Passage {
        var message = MailMessage.from("ceo@victim.example")
        message.fields =
            fields.map { MailMessage.Field($0.0, " " + $0.1) } + message.fields
        var exchange = Exchange(configuration: Self.trusting + more)
        exchange.sender = sender
        exchange.helo = "victim.example"
        return try exchange.pass(message)
    }

    private func results(_ values: String...) -> [(String, String)] {
        values.map { ("Authentication-Results", $0) }
    }

    private let received = ("Received", "from a.example by relay.example; Fri, 20 Nov 2026")

    /// Results of one field, the sender, and what DMARC comes to.
    static let cases: [(results: String, sender: String, dmarc: String)] = [
        ("spf=pass smtp.mailfrom=victim.example", "<u@victim.example>", "pass"),
        ("spf=pass smtp.mailfrom=u@victim.example", "<u@victim.example>", "pass"),
        ("dkim=pass header.d=victim.example", "<u@evil.example>", "pass"),
        // 4.1: "MUST ignore any result reported using a "result" not specified".
        ("spf=hardfail smtp.mailfrom=victim.example", "<u@victim.example>", "fail"),
        ("dkim=banana header.d=victim.example", "<u@victim.example>", "fail"),
        // 4.1: "or a "ptype" not listed".
        ("dkim=pass foo.bar=x header.d=victim.example", "<u@victim.example>", "fail"),
        ("spf=pass foo.bar=x smtp.mailfrom=victim.example", "<u@victim.example>", "fail"),
        // 4: of another transaction.
        ("spf=pass smtp.mailfrom=victim.example", "<u@evil.example>", "fail"),
        ("spf=pass smtp.mailfrom=v@victim.example", "<u@victim.example>", "fail"),
        ("spf=pass smtp.helo=victim.example", "<u@victim.example>", "fail"),
        ("spf=pass", "<u@victim.example>", "fail"),
        ("spf=pass smtp.helo=victim.example", "<>", "pass"),
        ("spf=pass smtp.helo=evil.example", "<>", "fail"),
        // RFC 7208, section 2.4: of a null reverse-path it is postmaster's.
        ("spf=pass smtp.mailfrom=postmaster@victim.example", "<>", "pass"),
        ("spf=pass smtp.mailfrom=x@victim.example", "<>", "fail"),
        // RFC 8601, section 2.2: "none" stands alone.
        ("none; dkim=pass header.d=victim.example", "<u@evil.example>", "fail"),
        // Who reads the first and who reads the last property would differ.
        ("dkim=pass header.d=victim.example header.d=evil.example", "<u@evil.example>", "fail"),
        (
            "spf=pass smtp.mailfrom=victim.example smtp.mailfrom=evil.example",
            "<u@victim.example>", "fail"
        ),
        (
            "spf=pass smtp.mailfrom=victim.example; spf=fail smtp.mailfrom=victim.example",
            "<u@victim.example>", "fail"
        ),
        // RFC 6008, section 4.
        (
            "dkim=fail header.d=victim.example header.b=abcdefgh; "
                + "dkim=pass header.d=victim.example header.b=abcdefgh", "<u@evil.example>", "fail"
        ),
        (
            "dkim=pass header.d=victim.example header.b=abcdefghij; "
                + "dkim=fail header.d=victim.example header.b=abcdefgh", "<u@evil.example>", "fail"
        ),
        (
            "dkim=fail header.d=victim.example header.b=abcdefgh; "
                + "dkim=pass header.d=victim.example header.b=ijklmnop", "<u@evil.example>", "pass"
        ),
        (
            "dkim=fail header.d=victim.example; dkim=pass header.d=victim.example",
            "<u@evil.example>", "pass"
        ),
    ]

    @Test(arguments: 0..<cases.count)
    func `a result counts, or not`(_ index: Int) throws {
        let one = Self.cases[index]
        let passage = try pass(
            results("relay.example; " + one.results) + [received], sender: one.sender)
        let methods = try passage.methods()
        #expect(methods["dmarc"]?.result == one.dmarc, "\(one) \(passage.results)")
        // What does not count is not issued again under our name.
        if one.dmarc == "fail" {
            #expect(methods["spf"]?.result != "pass" && methods["dkim"]?.result != "pass")
            #expect(methods.values.allSatisfy { $0.isRegistered }, "\(methods)")
        }
    }

    @Test func `fields that stand together count`() throws {
        let spf = "relay.example; spf=none smtp.mailfrom=victim.example"
        let dkim = "relay.example; dkim=pass header.d=victim.example header.b=abcdefgh"
        let other = "other.example; dkim=pass header.d=x.example"
        func dmarc(_ fields: [(String, String)], _ more: String = "") throws -> String? {
            try pass(fields, more: more).methods()["dmarc"]?.result
        }
        #expect(try dmarc(results(spf, dkim) + [received]) == "pass")
        #expect(try dmarc(results(spf, other, dkim) + [received]) == "fail")
        #expect(try dmarc(results(other, dkim) + [received]) == "fail")
        // Whatever the client sends stands below the first Received field.
        #expect(try dmarc(results(spf) + [received] + results(dkim)) == "fail")
        #expect(try dmarc([received] + results(dkim)) == "fail")
        // What cannot be read ends it.
        #expect(try dmarc(results("relay.example; dkim=none (", dkim)) == "fail")
        #expect(try dmarc(results("relay.example 2; spf=none", dkim)) == "fail")
        // A field below must not deny what one above says.
        let failed = "relay.example; dkim=fail header.d=victim.example header.b=abcdefgh"
        #expect(try dmarc(results(failed, dkim)) == "fail")
        #expect(try dmarc(results("relay.example; dkim=none", dkim)) == "fail")
        // Two hosts that are trusted stand together too.
        let both = "TrustedAuthservIDs relay.example, other.example\n"
        #expect(try dmarc(results(other, dkim), both) == "pass")
        #expect(try dmarc(results(dkim, other), both) == "pass")
        // The one that is named first counts before the other.
        let reversed = "TrustedAuthservIDs other.example, relay.example\n"
        #expect(try dmarc(results(other, dkim), reversed) == "fail")
        #expect(try dmarc(results("other.example; spf=none", dkim), both) == "pass")
    }
}
