internal import PostfixConfiguration

/// Whether mail passes the filters, in an order that works.
enum MilterChecks {
    /// Whether the signer and the judge see the mail that they are for.
    static let presence = Check.ofPostfix("postfix.milter", fine: "mail passes the filters") {
        host, postfix in
        let chains = MilterChain.all(postfix, host.suite)
        let smtpd = chains.filter { $0.listener != nil }
        let signs = host.signsHere
        guard signs, !smtpd.isEmpty else {
            return [
                .skipped(
                    "postfix.milter", "Postfix",
                    signs
                        ? "master.cf has no service that takes mail by SMTP"
                        : "signet-dkim is not configured to sign")
            ]
        }
        guard smtpd.contains(where: { $0.has("dkim") }) else {
            guard !smtpd.contains(where: { $0.milters.contains { $0.role == .otherSigner } }) else {
                return [.skipped("postfix.milter", "Postfix", "another program signs here")]
            }
            let replaced = postfix.main.replaced("smtpd_milters")
            guard !replaced.contains(where: { $0.value.contains("dkim") }) else { return [] }
            return [
                Diagnosis(
                    .milterAbsent, "smtpd_milters", "signet-dkim is in no list of milters",
                    mend: MilterProposal(ofMain: host, postfix).mend)
            ]
        }
        var findings = smtpd.compactMap { overridden($0, postfix, host.suite) }
        if let other = chains.last(where: { $0.listener == nil }) {
            findings += nonSMTPD(other, MilterProposal(other, host, postfix).mend)
        }
        return findings
    }

    /// A service whose own list leaves out what main.cf has.
    private static func overridden(
        _ chain: MilterChain, _ postfix: PostfixView, _ suite: SuiteView
    ) -> Diagnosis? {
        MilterOverride(chain, postfix, suite).map { override in
            Diagnosis(
                .milterOverridden, chain.subject,
                "master.cf line \(override.line) sets \(chain.parameter) anew, without "
                    + "signet-\(override.missing)",
                mend: override.mend)
        }
    }

    private static func nonSMTPD(_ chain: MilterChain, _ mend: Mend) -> [Diagnosis] {
        var findings: [Diagnosis] = []
        // Another signer in its place is said by itself.
        if !chain.has("dkim"), !chain.milters.contains(where: { $0.role == .otherSigner }) {
            findings.append(
                Diagnosis(
                    .milterNonSMTPD, chain.parameter, "signet-dkim is not in the list", mend: mend))
        }
        if chain.has("dmarc") {
            findings.append(
                Diagnosis(
                    .milterNonSMTPDVerifier, chain.parameter, "signet-dmarc is in the list",
                    mend: mend))
        }
        return findings
    }

    /// Order, and what is there twice.
    static let order = Check.ofPostfix(
        "postfix.milter.order", fine: "the filters stand in an order that works"
    ) { host, postfix in
        MilterChain.all(postfix, host.suite).flatMap { chain in
            let proposal = MilterProposal(chain, host, postfix)
            let disorder = disorder(chain.milters, host).map {
                Diagnosis(.milterOrder, chain.subject, $0, mend: proposal.mend)
            }
            return [disorder, repeats(chain, proposal)].compactMap(\.self)
        }
    }

    /// What is wrong with the order of milters; nil where nothing is.
    static func disorder(_ milters: [MilterEndpoint], _ host: HostView) -> String? {
        func place(_ name: String) -> Int? { milters.firstIndex { $0.isOurs(name) } }
        let verifies = host.tree.flatMap { SuiteConfiguration("dkim", $0)?.text("Mode") } != "s"
        let holds = host.tree.flatMap {
            SuiteConfiguration("dmarc", $0)?.boolean("HoldQuarantinedMessages")
        }
        if let scrub = place("scrub"), let dkim = place("dkim"), scrub > dkim {
            return "signet-scrub comes after signet-dkim, whose signature it breaks"
        }
        guard let dmarc = place("dmarc") else { return nil }
        if let dkim = place("dkim"), dmarc < dkim, verifies {
            return "signet-dmarc comes before signet-dkim, which verifies and removes its results"
        }
        guard dmarc < milters.count - 1, holds == true else { return nil }
        return
            "signet-dmarc holds mail and is not the last: the milters after it never see such mail"
    }

    private static func repeats(_ chain: MilterChain, _ proposal: MilterProposal) -> Diagnosis? {
        let twice = chain.milters.first { milter in
            chain.milters.count { $0.address == milter.address } > 1
        }
        return twice.map {
            Diagnosis(
                .milterTwice, chain.subject, "\($0.address) is in the list twice",
                mend: proposal.mend)
        }
    }

    /// What happens while a filter is away, and how Postfix speaks with it.
    static let settings = Check.ofPostfix(
        "postfix.milter.settings", fine: "the settings for milters are safe"
    ) { host, postfix in
        let chains = MilterChain.all(postfix, host.suite).filter { !$0.milters.isEmpty }
        guard !chains.isEmpty else { return [] }
        var findings: [Diagnosis] = []
        if let action = action(postfix.values["milter_default_action"] ?? "") {
            findings.append(
                Diagnosis(
                    action, "milter_default_action",
                    "it is set to \(postfix.values["milter_default_action"] ?? "")",
                    mend: .parameter("milter_default_action", "tempfail")))
        }
        for chain in chains {
            for milter in chain.milters {
                guard let setting = milter.defaultAction, let kind = action(setting),
                    !Incumbents.onlyCompares(milter, host)
                else { continue }
                findings.append(
                    Diagnosis(
                        kind, milter.address, "its default_action is set to \(setting)",
                        mend: MilterProposal(chain, host, postfix).mend))
            }
        }
        if let version = postfix.values["milter_protocol"].flatMap({ Int($0) }), version < 6 {
            findings.append(
                Diagnosis(
                    .milterProtocol, "milter_protocol", "it is set to \(version)",
                    mend: .parameter("milter_protocol", "6")))
        }
        for (name, least, usual) in [
            ("milter_connect_timeout", 5, "30s"), ("milter_command_timeout", 10, "30s"),
            ("milter_content_timeout", 30, "300s"),
        ] {
            guard let text = postfix.values[name], let seconds = PostfixTime.seconds(text),
                seconds < least
            else { continue }
            findings.append(
                Diagnosis(
                    .milterTimeout, name, "it is set to \(text)", mend: .parameter(name, usual)))
        }
        return findings + exceptions(host, postfix)
    }

    /// What is wrong with what happens while a filter is away; nil where nothing is.
    static func action(_ word: String) -> DiagnosisKind? {
        switch word {
        case "accept": .milterActionAccept
        case "reject": .milterActionReject
        case "quarantine": .milterActionQuarantine
        default: nil
        }
    }

    /// Clients that smtpd_milter_maps lets pass.
    private static func exceptions(_ host: HostView, _ postfix: PostfixView) -> [Diagnosis] {
        guard let tree = host.tree else { return [] }
        let rules = PostfixTable.rules(postfix.values["smtpd_milter_maps"] ?? "", tree)
        let disabled = rules.filter { rule in
            rule.action.uppercased() == "DISABLE" && !rule.key.hasPrefix("127.")
                && rule.key != "::1"
        }
        guard let first = disabled.first else { return [] }
        return [
            Diagnosis(
                .milterMaps, "smtpd_milter_maps",
                "\(Shown.text(first.key)) is exempt from all milters",
                mend: .line(nil, file: first.file, insteadOf: first.line))
        ]
    }
}

/// A time as main.cf has it.
enum PostfixTime {
    /// Seconds of `30`, `30s`, `5m`, `1h`, `1d` or `1w`; nil for anything else.
    static func seconds(_ text: String) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
        guard let last = text.last else { return nil }
        guard let unit = units[last] else { return Int(text) }
        guard let count = Int(text.dropLast()) else { return nil }
        let (seconds, isTooLarge) = count.multipliedReportingOverflow(by: unit)
        return isTooLarge ? .max : seconds
    }
}
