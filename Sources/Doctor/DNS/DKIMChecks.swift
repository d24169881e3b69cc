internal import MailAuth
internal import MailCrypto
internal import MailDNS
internal import MailSyntax

/// Whether each key that signs is published (RFC 6376).
enum DKIMChecks {
    /// The records of all keys that sign mail of a domain.
    static let records = Check.ofDomains(
        "dkim.record", fine: "every key that signs is published as it is"
    ) { host, dns, domain throws(DNSTrouble) in
        guard host.signing.source != nil else {
            return [
                .skipped(
                    "dkim.record", domain.ascii,
                    host.relayhost == nil
                        ? "nothing is known of keys; give --key"
                        : "keys are not known here: mail leaves through a relay, which may sign")
            ]
        }
        let keys = host.signing.keys(for: domain)
        guard !keys.isEmpty else {
            guard host.relayhost == nil else {
                return [
                    .skipped(
                        "dkim.domain.unsigned", domain.ascii,
                        "no key signs for it here; mail leaves through a relay, which may sign")
                ]
            }
            guard !host.isSignedByOther else {
                return [
                    .skipped(
                        "dkim.record", domain.ascii, "another program signs here; give --key")
                ]
            }
            return [Unsigned.finding(domain, host)]
        }
        var findings: [Diagnosis] = []
        for key in keys {
            findings += try DKIMRecordCheck(key: key, host: host, dns: dns).findings()
        }
        return findings
    }
}

/// A domain that nothing signs for.
enum Unsigned {
    /// The finding, with what gives it a key.
    static func finding(_ domain: DomainName, _ host: HostView) -> Diagnosis {
        Diagnosis(
            .domainUnsigned, domain.ascii,
            "no key of \(host.signing.source ?? "the configuration") signs mail from it",
            mend: mend(domain, host))
    }

    /// The command that makes keys and has them sign.
    ///
    /// It adds lines to tables that are files, and to no others: there the folder of KeyDirectory has to be named first.
    static func mend(_ domain: DomainName, _ host: HostView) -> Mend {
        let command = "signet setup \(domain.ascii) --apply"
        guard let file = host.tree.flatMap({ SuiteConfiguration("dkim", $0) }),
            !file.isSet("KeyDirectory"),
            ["KeyTable", "SigningTable"].contains(where: { file.isTableWithoutFile($0) })
        else { return .command(command) }
        return .words(
            "add \"KeyDirectory /etc/signet/keys\" to \(file.path), as no line can be added to its tables; "
                + "then: \(command)")
    }
}
