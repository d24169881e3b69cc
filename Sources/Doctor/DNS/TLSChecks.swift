internal import MailDNS
internal import MailSyntax

/// The records about TLS between mail servers, where there are any.
enum TLSChecks {
    /// Where reports on TLS go (RFC 8460, section 3).
    static let reporting = Check.ofDomains(
        "dns.tlsrpt", fine: "no fault in TLSRPT", isInbound: true
    ) {
        _, dns, domain throws(DNSTrouble) in
        try findings(
            at: "_smtp._tls", of: domain, dns, version: "TLSRPTv1", needs: "rua",
            several: .tlsReportingSeveral, syntax: .tlsReportingSyntax,
            right: { reportingRecord($0, domain) }
        ) { value in
            value.split(separator: ",").allSatisfy { uri in
                let text = String(uri).lowercased().drop { $0 == " " }
                return (text.hasPrefix("mailto:") && text.contains("@"))
                    || text.hasPrefix("https://")
            }
        }
    }

    /// A record for the addresses that stand in a text.
    private static func reportingRecord(_ text: String, _ domain: DomainName) -> String {
        let words = text.split { " ;,=\"".contains($0) }.map(String.init)
        let addresses = words.compactMap { word -> String? in
            let small = word.lowercased()
            if small.hasPrefix("https://") || small.hasPrefix("mailto:") { return word }
            return word.contains("@") ? "mailto:\(word)" : nil
        }
        let all = addresses.isEmpty ? ["mailto:postmaster@\(domain.ascii)"] : addresses
        return "v=TLSRPTv1; rua=\(all.joined(separator: ","))"
    }

    /// Whether there is a policy for TLS, and where it is fetched from (RFC 8461, sections 3.1 and 3.3).
    static let strictTransport = Check.ofDomains(
        "dns.mta-sts", fine: "no fault in MTA-STS", isInbound: true
    ) {
        _, dns, domain throws(DNSTrouble) in
        // sts-id = "id" "=" 1*32(ALPHA / DIGIT)
        var found = try findings(
            at: "_mta-sts", of: domain, dns, version: "STSv1", needs: "id",
            several: .strictTransportSeveral, syntax: .strictTransportSyntax,
            right: { text in
                let value = (try? TagList(parsing: Array(text.utf8)))?.text("id") ?? ""
                let id = value.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(32)
                return "v=STSv1; id=\(id.isEmpty ? "1" : String(id))"
            }
        ) { value in
            1...32 ~= value.utf8.count && value.utf8.allSatisfy(\.isASCIIAlphanumeric)
        }
        guard let name = try? domain.prepending("_mta-sts"), !(try dns.texts(name)).isEmpty,
            let host = try? domain.prepending("mta-sts"), (try dns.addresses(host)).isEmpty
        else { return found }
        found.append(
            Diagnosis(
                .strictTransportHost, domain.ascii,
                "there is an MTA-STS record, and \(host.ascii) has no address",
                mend: .words("publish the address of the web server that has the policy")))
        return found
    }

    /// What is wrong with the record of a kind; none where there is no record.
    private static func findings(
        at label: String, of domain: DomainName, _ dns: DNSLookup, version: String,
        needs tag: String, several: DiagnosisKind, syntax: DiagnosisKind,
        right: (String) -> String, isValid: (String) -> Bool
    ) throws(DNSTrouble) -> [Diagnosis] {
        guard let name = try? domain.prepending(label) else { return [] }
        let texts = try dns.texts(name)
        guard !texts.isEmpty else { return [] }
        let octets = texts.map { Array($0.joined()) }
        func publish(_ wrong: [UInt8]) -> Mend {
            let others = texts.filter { Array($0.joined()) == wrong }
            return .publish(
                .text(name, right(String(decoding: wrong, as: UTF8.self))),
                insteadOf: ZoneRecord.texts(name, others))
        }
        let records = octets.filter { $0.starts(with: "v=\(version);".utf8) }
        guard let first = records.first else {
            return [
                Diagnosis(
                    syntax, domain.ascii,
                    "\(name.ascii) has \"\(Shown.text(octets[0]))\", which does not begin with v=\(version);",
                    mend: publish(octets[0]))
            ]
        }
        guard records.count == 1 else {
            return [
                Diagnosis(
                    several, domain.ascii, "\(name.ascii) has \(records.count) records",
                    mend: .withdraw(
                        records.dropFirst().map { ZoneRecord(name, .txt, .text([$0])) }))
            ]
        }
        let value = (try? TagList(parsing: first))?.text(tag)
        guard value.map(isValid) != true else { return [] }
        return [
            Diagnosis(
                syntax, domain.ascii,
                "\(name.ascii) has \(value == nil ? "no \(tag)=" : "a \(tag)= that cannot be read")",
                mend: publish(first))
        ]
    }
}
