internal import MailAuth
internal import MailDNS
internal import MailSyntax
internal import PostfixConfiguration

/// Whether reports that others send to this host find a mailbox: Postfix is asked, as a sender would.
enum MailboxChecks {
    /// The addresses of DMARC records.
    static let reports = Check.ofDomains(
        "dns.dmarc.mailbox", fine: "the mailboxes for reports take mail here", isInbound: true
    ) { host, dns, domain throws(DNSTrouble) in
        guard let running = host.running, let postfix = host.postfix else {
            return [
                .skipped(
                    "dns.dmarc.mailbox", domain.ascii,
                    "whether the address for reports takes mail is tried on the running host only")
            ]
        }
        guard let name = try? DomainName.dmarcLabel.below(domain) else { return [] }
        let records = try dns.texts(name).compactMap { DMARCRecord(parsing: Array($0.joined())) }
        guard records.count == 1, let record = records.first else { return [] }
        let here = DomainChecks.received(postfix, host).map(\.domain)
        let addresses = (record.aggregateReportURIs + record.failureReportURIs)
            .compactMap(\.mailbox)
            .filter { here.contains($0.domain) }
            .map(\.address)
        guard !addresses.isEmpty else {
            return [
                .skipped(
                    "dns.dmarc.mailbox", domain.ascii, "no mailbox for reports is on this host")
            ]
        }
        var seen: Set<String> = []
        return addresses.filter { seen.insert($0).inserted }.compactMap { finding($0, running) }
    }

    private static func finding(_ address: String, _ running: RunningHost) -> Diagnosis? {
        guard let answer = running.answerToRecipient(address) else {
            return .skipped(
                "dns.dmarc.mailbox", address, "Postfix does not answer at 127.0.0.1, port 25")
        }
        if (200..<300).contains(answer.code) { return nil }
        guard answer.code >= 500 else {
            return .skipped("dns.dmarc.mailbox", address, "Postfix \(answer.text)")
        }
        let local = address.prefix { $0 != "@" }
        // RFC 3463, section 3.2: X.1 is about addresses.
        let mend =
            answer.text.hasPrefix("5.1.")
            ? "add \"\(local): postmaster\" to /etc/aliases and run newaliases, or publish another "
                + "address in rua="
            : "have Postfix take mail of the null reverse-path for \(address) from everybody"
        return Diagnosis(
            .dmarcMailbox, address, "Postfix answers \(answer.code) \(answer.text)",
            mend: .words(mend))
    }
}
