internal import MailAuth
internal import MailDNS
internal import MailSyntax
internal import Threads

/// What the SPF records of the domains and of the HELO name say (RFC 7208).
enum SPFChecks {
    /// The record itself, for whatever client.
    static let record = Check.ofDomains("dns.spf", fine: "one SPF record, which can be evaluated") {
        host, dns, domain throws(DNSTrouble) in
        let texts = try dns.texts(domain)
        let proposal = try SPFProposal(domain, host, dns)
        var findings: [Diagnosis] = []
        let foreign = texts.filter { Array($0.joined()).starts(with: "spf2.0/".utf8) }
        if !foreign.isEmpty {
            findings.append(
                Diagnosis(
                    .spfSenderID, domain.ascii, "there is a record of Sender ID",
                    mend: .withdraw(ZoneRecord.texts(domain, foreign))))
        }
        guard let first = proposal.published.first else {
            return findings + [
                Diagnosis(
                    .spfMissing, domain.ascii, "there is no SPF record",
                    // What a relay's records are called, setup knows.
                    mend: host.relayhost == nil
                        ? proposal.mend
                        : .words(
                            "publish the record that \"signet setup \(domain.ascii)\" prints; it names the relay, "
                                + "or else include what the relay's pages say"))
            ]
        }
        guard proposal.published.count == 1 else {
            return findings + [
                Diagnosis(
                    .spfSeveral, domain.ascii, "there are \(proposal.published.count) SPF records",
                    mend: proposal.mend)
            ]
        }
        let check = SPFRecordCheck(strings: first, proposal: proposal, dns: dns)
        return findings + (try check.findings())
    }

    /// Whether mail of the domain from each own address passes.
    static let ownAddresses = Check.ofDomains(
        "dns.spf.own-address", fine: "mail from every address of this host passes SPF"
    ) { host, dns, domain throws(DNSTrouble) in
        if let relay = host.relayhost {
            return [
                .skipped(
                    "dns.spf.own-address", domain.ascii,
                    "mail leaves through \(Shown.text(relay)): whether its addresses pass is not known here"
                )
            ]
        }
        guard !host.addresses.isEmpty else {
            return [
                .skipped(
                    "dns.spf.own-address", domain.ascii,
                    "no public address of this host is known; give --address")
            ]
        }
        let proposal = try SPFProposal(domain, host, dns)
        // What is wrong with the record itself has been said.
        guard proposal.published.count == 1 else {
            return [
                .skipped("dns.spf.own-address", domain.ascii, "there is not exactly one SPF record")
            ]
        }
        var sentence: String?
        for address in host.addresses {
            let outcome = dns.spf(host.mailRequest(of: domain, from: address))
            switch outcome.result {
            case .pass: continue
            case .permerror, .temperror:
                return [
                    .skipped(
                        "dns.spf.own-address", domain.ascii, "the SPF record cannot be evaluated")
                ]
            case .none, .neutral, .softfail, .fail:
                sentence = sentence ?? outcome.sentence
            }
        }
        guard let sentence else { return [] }
        return [Diagnosis(.spfOwnAddress, domain.ascii, sentence, mend: proposal.mend)]
    }

    /// Whether the HELO name passes, where anything depends on it.
    static let helo = Check.ofHost("dns.spf.helo", fine: "the HELO name does not fail SPF") {
        host, dns throws(DNSTrouble) in
        guard let name = host.heloDomain, !host.sendingAddresses.isEmpty else {
            return [
                .skipped(
                    "dns.spf.helo", host.heloName ?? "this host",
                    host.relayhost == nil
                        ? "the HELO name or the public addresses of this host are not known"
                        : "mail leaves through a relay, which has a HELO name of its own")
            ]
        }
        for address in host.sendingAddresses {
            let outcome = dns.spf(.helo(host.heloOctets, client: address))
            let record = ZoneRecord.text(name, "v=spf1 a -all")
            switch outcome.result {
            case .pass: continue
            case .none:
                // Bounces are not signed by default: a policy that is not "none" hits them.
                guard let policy = try dns.appliedPolicy(name)?.published, policy > .none else {
                    continue
                }
                return [
                    Diagnosis(
                        .spfHELO, name.ascii,
                        "the HELO name has no SPF record, and a DMARC policy applies to bounces from it",
                        mend: .publish(record, insteadOf: []))
                ]
            case .neutral, .softfail, .fail, .temperror, .permerror:
                let published = try dns.texts(name).filter {
                    SPFRecord.hasVersion(Array($0.joined()))
                }
                return [
                    Diagnosis(
                        .spfHELO, name.ascii, outcome.sentence,
                        mend: .publish(record, insteadOf: ZoneRecord.texts(name, published)))
                ]
            }
        }
        return []
    }
}

extension DNSLookup {
    /// Evaluates a request with the engine that serves mail.
    func spf(_ request: SPFRequest, limits: SPFLimits = SPFLimits()) -> SPFOutcome {
        SPFEvaluator(resolver: self.resolver, time: time, limits: limits, wantsExplanation: false)
            .check(request, deadline: time.now() + limits.seconds)
    }
}
