import SessionTestKit
import TestKit
import Testing

@testable import signet_dkim

/// From fields that break RFC 5322, and results fields in mail that is otherwise left alone.
@Suite struct SloppyFromTests {
    /// RFC 6376, section 5.4, asks only that From is signed: where its domain is clear, it can be.
    @Test(arguments: [
        "Boss [Office] <boss@example.org>", "Re: Shop <boss@example.org>",
        "Company, Inc. <boss@example.org>", "Boss <<boss@example.org>>",
        "Boss <boss@example.org", "boss@example.org <boss@example.org>",
        "\"Boss\" boss@example.org", "<@x.example:boss@example.org>", "boss@example . org",
        "Boss <boss@example.org>,", "boss@example.org.", "boss..b@example.org",
    ])
    func `the mail of a user is signed where the domain is clear`(_ from: String) throws {
        let signed = try MailMessage.plain.with(("From", from)).signed()
        #expect(try pass("", signed).results.first?.contains("dkim=pass") == true)
    }

    @Test(arguments: [
        "a@example.org, b@example.net", "a@example.net <b@example.org>",
        "<a@example.org> <b@example.net>", "=?utf-8?q?a=40example.org?=, Inc.",
    ])
    func `is not signed where it is not`(_ from: String) throws {
        let text = ours(try Keys.shared.get().single)
        #expect(try pass(text, .plain.with(("From", from))).signatures.isEmpty)
    }

    /// RFC 8601, section 5: "MUST".
    @Test(arguments: [
        "ExemptDomains example.org\n", "RequiredHeaders yes\nIgnoreMalformedMail yes\n",
        "On-Security accept\nMaximumHeaders 64\n",
    ])
    func `forged results go, whatever is skipped`(_ skipping: String) throws {
        let forged = MailMessage.plain.without("Date").adding(
            ("Authentication-Results", "mx.example.org; dkim=pass header.d=bank.example"))
        let passage = try pass(skipping, forged)
        #expect(passage.refusal == nil)
        #expect(passage.results.allSatisfy { !$0.contains("bank.example") }, "\(passage.results)")
    }
}
