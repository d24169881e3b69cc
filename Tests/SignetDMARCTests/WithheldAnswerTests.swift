import MailAuth
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

/// A sender never buys an undecided verdict: what its servers do not answer changes nothing for a domain that it pretends to be,
/// or has the message deferred (RFC 9989, sections 4.7 and 5.3.6; RFC 7208, sections 4.6.4 and 5.5).
@Suite struct WithheldAnswerTests {
    private static let zone = """
        _dmarc.np.test. TXT "v=DMARC1; p=none; sp=none; np=reject"
        np.test. A 192.0.2.5
        _dmarc.ptr.test. TXT "v=DMARC1; p=reject"
        ptr.test. TXT "v=spf1 ptr ip4:203.0.113.9 -all"
        _dmarc.macro.test. TXT "v=DMARC1; p=reject"
        macro.test. TXT "v=spf1 exists:%{p}.allowed.macro.test ip4:203.0.113.9 -all"
        _dmarc.include.test. TXT "v=DMARC1; p=reject"
        include.test. TXT "v=spf1 include:ptr.test -all"
        _dmarc.helo.test. TXT "v=DMARC1; p=reject"
        helo.test. TXT "v=spf1 a:%{h} -all"
        slow.example. TXT "v=spf1 a:host.slow.example -all"
        redirect.example. TXT "v=spf1 redirect=mute.example"
        66.113.0.203.in-addr.arpa. PTR host.evil.example
        host.evil.example. A 192.0.2.99
        mail.evil.example. A 192.0.2.99
        """

    /// The names that the sender owns: any of them may be kept from being answered.
    private static let owned = [
        "66.113.0.203.in-addr.arpa", "host.evil.example", "mail.evil.example",
        "host.slow.example", "mute.example", "s._domainkey.mute.example",
    ]

    /// An author, and the envelope sender.
    static let forgeries: [(author: String, sender: String)] = [
        ("v@a1.np.test", "<u@slow.example>"), ("v@a1.np.test", "<u@redirect.example>"),
        ("v@a1.np.test", "<u@nospf.example>"), ("v@ptr.test", "<u@ptr.test>"),
        ("v@macro.test", "<u@macro.test>"), ("v@include.test", "<u@include.test>"),
        ("v@helo.test", "<u@helo.test>"),
    ]

    private static let signature = """
        v=1; a=rsa-sha256; c=relaxed/relaxed; d=mute.example; s=s; h=from:to:subject; \
        bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
        """

    /// What happens: `reject`, `defer`, or the disposition of a message that goes on.
    private func outcome(
        _ author: String, _ sender: String, _ configuration: String, failing: [String] = [],
        silent: [String] = []
    ) throws -> String {
        var exchange = Exchange(configuration: configuration + "\nDNSTimeout 1")
        exchange.zone = Self.zone
        exchange.failing = failing
        exchange.silent = silent
        exchange.sender = sender
        let passage = try exchange.pass(.from(author, ("DKIM-Signature", Self.signature)))
        if let refusal = passage.refusal { return refusal.hasPrefix("5") ? "reject" : "defer" }
        let comment = try passage.methods()["dmarc"]?.comment ?? ""
        return comment.firstMatch(of: /dis=([a-z]+)/).map { String($0.1) } ?? "no disposition"
    }

    @Test(arguments: forgeries, ["", "RejectFailures yes"])
    func `every set of withheld answers leaves the outcome, or defers`(
        _ forgery: (author: String, sender: String), _ configuration: String
    ) throws {
        let expected = configuration.isEmpty ? "quarantine" : "reject"
        for set in 0..<(1 << Self.owned.count) {
            let withheld = Self.owned.indices.filter { set & (1 << $0) != 0 }.map { Self.owned[$0] }
            let outcome = try outcome(
                forgery.author, forgery.sender, configuration, failing: withheld)
            #expect(
                outcome == expected || (set != 0 && outcome == "defer"), "without \(withheld)")
        }
    }

    /// The same with answers that are waited for.
    @Test(arguments: forgeries)
    func `waiting in vain takes no time from other questions`(
        _ forgery: (author: String, sender: String)
    ) throws {
        let outcome = try outcome(forgery.author, forgery.sender, "", silent: Self.owned)
        // The addresses of HELO's name belong to SPF of the author's own domain.
        #expect(outcome == (forgery.author == "v@helo.test" ? "defer" : "quarantine"))
    }

    @Test func `whether the author domain exists may decide, and is not guessed`() throws {
        let outcome = try outcome(
            "v@a1.np.test", "<u@nospf.example>", "", failing: ["a1.np.test"])
        #expect(outcome == "defer")
    }
}
