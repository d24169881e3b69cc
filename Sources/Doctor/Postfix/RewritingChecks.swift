internal import PostfixConfiguration

/// What changes mail after it has been signed, and what takes away what filters add.
enum RewritingChecks {
    /// Everything between the signer and the network.
    static let afterSigning = Check.ofPostfix(
        "postfix.signing", fine: "nothing changes mail after signing"
    ) { host, postfix in
        guard let tree = host.tree,
            MilterChain.all(postfix, host.suite).contains(where: { chain in
                chain.milters.contains { $0.isOurs("dkim") || $0.role == .otherSigner }
            })
        else { return [] }
        let values = postfix.values
        var findings: [Diagnosis] = []
        func add(_ kind: DiagnosisKind, _ name: String, _ what: String, _ mend: Mend) {
            findings.append(Diagnosis(kind, name, what, mend: mend))
        }
        if let filter = values["content_filter"], !filter.isEmpty {
            add(
                .signingContentFilter, "content_filter", "mail goes through \(Shown.text(filter))",
                .words(
                    "sign behind the filter: name the milters with -o smtpd_milters for the "
                        + "service that takes mail back from it, and none for the others"))
        }
        if let maps = values["smtp_generic_maps"], !maps.isEmpty {
            add(
                .signingGenericMaps, "smtp_generic_maps", "it is \(Shown.text(maps))",
                .parameter("smtp_generic_maps", nil))
        }
        let changing = ["IGNORE", "REPLACE", "STRIP", "PREPEND"]
        for name in ["smtp_header_checks", "smtp_mime_header_checks", "smtp_nested_header_checks"] {
            let rules = PostfixTable.rules(values[name] ?? "", tree).filter { rule in
                changing.contains { rule.action.uppercased().hasPrefix($0) }
            }
            guard let rule = rules.first else { continue }
            add(
                .signingHeaderChecks, name, "the rule \(Shown.text(rule.line)) changes fields",
                .line(nil, file: rule.file, insteadOf: rule.line))
        }
        let removing = PostfixTable.rules(values["milter_header_checks"] ?? "", tree).filter {
            rule in
            let key = rule.key.lowercased()
            return ["IGNORE", "REPLACE"].contains { rule.action.uppercased().hasPrefix($0) }
                && (key.contains("dkim-signature") || key.contains("authentication-results"))
        }
        if let rule = removing.first {
            add(
                .signingMilterHeaderChecks, "milter_header_checks",
                "the rule \(Shown.text(rule.line)) removes what filters add",
                .line(nil, file: rule.file, insteadOf: rule.line))
        }
        if let limit = values["smtp_line_length_limit"].flatMap({ Int($0) }), 1..<998 ~= limit {
            add(
                .signingLineLength, "smtp_line_length_limit", "it is \(limit)",
                .parameter("smtp_line_length_limit", "998"))
        }
        let words = (values["smtp_discard_ehlo_keywords"] ?? "").lowercased()
        if words.contains("8bitmime") {
            let kept = values.list("smtp_discard_ehlo_keywords").filter {
                $0.lowercased() != "8bitmime"
            }
            add(
                .signingEightBit, "smtp_discard_ehlo_keywords", "it leaves out 8BITMIME",
                .parameter("smtp_discard_ehlo_keywords", kept.joined(separator: ", ")))
        }
        return findings
    }

    /// Rules that take Received away from all mail.
    static let received = Check.ofPostfix(
        "postfix.header-checks", fine: "no rule removes Received from all mail"
    ) { host, postfix in
        guard let tree = host.tree else { return [] }
        return headerChecks(postfix).flatMap { subject, tables in
            let removing = PostfixTable.rules(tables, tree).filter { rule in
                rule.key.lowercased().contains("received")
                    && !rule.key.lowercased().contains("-spf")
                    && ["IGNORE", "REPLACE", "STRIP"].contains {
                        rule.action.uppercased().hasPrefix($0)
                    }
            }
            return removing.prefix(1).map { rule in
                Diagnosis(
                    .headerChecksReceived, subject,
                    "the rule \(Shown.text(rule.line)) holds for all mail",
                    mend: .line(nil, file: rule.file, insteadOf: rule.line))
            }
        }
    }

    /// The tables that the header fields of incoming mail are looked up in, and what names them: main.cf, or a cleanup service.
    private static func headerChecks(
        _ postfix: PostfixView
    ) -> [(subject: String, tables: String)] {
        let name = "header_checks"
        let names = postfix.listeners.filter(\.takesInboundMail).map {
            $0.values["cleanup_service_name"] ?? "cleanup"
        }
        var found = [(subject: name, tables: postfix.values[name] ?? "")]
        var seen: Set<String> = []
        for cleanup in names where seen.insert(cleanup).inserted {
            guard let service = postfix.master?.service("\(cleanup)/unix"),
                service.option(name) != nil
            else { continue }
            found.append((service.key, postfix.values.of(service)[name] ?? ""))
        }
        return found
    }
}
