internal import MailSyntax
internal import ReportStore

/// The texts of one result in auth_results.
struct AggregateResult {
    var texts: [AggregateElement: String] = [:]
}

/// The texts of one record, and the row that they make.
struct AggregateRecord {
    var texts: [AggregateElement: String] = [:]
    var signatures: [AggregateResult] = []
    var spf: [AggregateResult] = []
    var reasons: [(type: String, comment: String)] = []

    /// How many signatures of a record are kept, as RFC 9990, section 3.1.3, has it for a row.
    static let signatureLimit = 100
    /// How many reasons of a record are kept, and how many results of SPF.
    static let (reasonLimit, spfLimit) = (8, 8)
    private static let reasonTypes: Set<String> = [
        "local_policy", "mailing_list", "other", "policy_test_mode", "trusted_forwarder",
        // Of RFC 7489.
        "forwarded", "sampled_out",
    ]

    /// The row; nil where the record does not say what was counted, or how much.
    ///
    /// - Parameter note: is told what is wrong with the record.
    /// - Returns: source, verdict and number of messages.
    func row(_ note: (String) -> Void) -> (IPAddress, ReceivedVerdict, Int64)? {
        guard let address = texts[.sourceIP], !address.isEmpty else {
            note("source_ip is missing: the record is left out")
            return nil
        }
        guard let source = IPAddress(address) else {
            note("source_ip \"\(address)\" is not an address: the record is left out")
            return nil
        }
        guard let number = texts[.count], let count = Self.number(number) else {
            let written = texts[.count].map { " \"\($0)\"" } ?? ""
            note("count\(written) is not a number of messages: the record is left out")
            return nil
        }
        if Int64(texts[.count] ?? "") == nil { note("count is no integer") }
        if count == 0 { note("count is 0") }
        return (source.unmapped, verdict(note), count)
    }

    private static func number(_ text: String) -> Int64? {
        let greatest = ReadingLimits.greatestCount
        if let number = Int64(text) { return 0...greatest ~= number ? number : nil }
        guard text.utf8.count <= 24, let number = Double(text), number >= 0,
            number <= Double(greatest)
        else { return nil }
        return Int64(number)
    }

    private func verdict(_ note: (String) -> Void) -> ReceivedVerdict {
        func read(_ reading: ReportWords.Reading) -> String {
            if let text = reading.note { note(text) }
            return reading.word
        }
        var verdict = ReceivedVerdict()
        verdict.headerFrom = name(.headerFrom, note)
        if verdict.headerFrom.isEmpty { note("header_from is missing or empty") }
        verdict.envelopeFrom = name(.envelopeFrom, note)
        verdict.envelopeTo = name(.envelopeTo, note)
        verdict.disposition = read(ReportWords.disposition(texts[.disposition] ?? ""))
        verdict.isDKIMAligned = read(ReportWords.aligned(texts[.dkim] ?? "", "dkim")) == "pass"
        verdict.isSPFAligned = read(ReportWords.aligned(texts[.spf] ?? "", "spf")) == "pass"
        for signature in signatures.prefix(Self.signatureLimit) {
            let texts = signature.texts
            // One program writes an empty element where there is no signature.
            let isNone = (texts[.domain] ?? "").isEmpty && (texts[.selector] ?? "").isEmpty
            if isNone, texts[.result] != "pass" { continue }
            verdict.signatures.append(
                ReceivedVerdict.Signature(
                    domain: Self.domain(texts[.domain] ?? "").name,
                    selector: PlainText.line(texts[.selector] ?? "", atMost: 253).filter {
                        $0 != " "
                    },
                    result: read(ReportWords.dkim(texts[.result] ?? ""))))
        }
        // RFC 7489 allowed a second one for HELO; that of the reverse-path is the one that aligns.
        let fromReversePath = spf.prefix(Self.spfLimit).first {
            ($0.texts[.scope] ?? "mfrom") != "helo"
        }
        let chosen = fromReversePath ?? spf.first
        if let texts = chosen?.texts {
            verdict.spfDomain = Self.domain(texts[.domain] ?? "").name
            verdict.spfResult = read(ReportWords.spf(texts[.result] ?? ""))
        }
        verdict.reasons = reasonLines(note)
        return verdict
    }

    private func reasonLines(_ note: (String) -> Void) -> String {
        var lines: [String] = []
        for reason in reasons.prefix(Self.reasonLimit) {
            if reason.type.isEmpty, reason.comment.isEmpty {
                note("reason is empty")
                continue
            }
            let type = reason.type.lowercased()
            if !Self.reasonTypes.contains(type) {
                note("reason \"\(reason.type)\" is not a word of the format")
            }
            let comment = PlainText.line(reason.comment, atMost: 200)
            lines.append(PlainText.line("\(type): \(comment)", atMost: 240))
        }
        return lines.joined(separator: "\n")
    }

    private func name(_ element: AggregateElement, _ note: (String) -> Void) -> String {
        guard let text = texts[element], !text.isEmpty else { return "" }
        let (name, isDomain) = Self.domain(text)
        if !isDomain { note("\(element.rawValue) \"\(text)\" is not a domain name") }
        return name
    }

    /// The domain of a text that should be one; what is none is kept as text.
    private static func domain(_ text: String) -> (name: String, isDomain: Bool) {
        if text.isEmpty { return ("", true) }
        if text.utf8.allSatisfy({ 0x61...0x7A ~= $0 || 0x2D...0x39 ~= $0 && $0 != 0x2F }),
            text.utf8.count < 254
        {
            return (text, true)
        }
        if let name = try? DomainName(text), name.isHostName || text.contains("_"),
            !text.contains("<")
        {
            return (name.ascii, true)
        }
        let host = text.split(separator: "@").last ?? ""
        if text.contains("@"), let name = try? DomainName(host) { return (name.ascii, false) }
        return (PlainText.line(text, atMost: 253), false)
    }
}
