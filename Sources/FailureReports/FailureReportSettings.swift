package import Configuration
package import MailSyntax

/// What the configuration says about failure reports: the same for the daemon, which makes them, and for the command, which hands
/// them over.
package struct FailureReportSettings: Hashable, Sendable {
    /// Whether any are made.
    package var isOn = false
    /// Whether failures under "p=none" are reported.
    package var onNone = false
    /// Whom they come from, as the From field has it.
    package var from = ""
    /// The envelope's sender.
    package var sender = ""
    /// Addresses that get all reports, and those about failures for which no domain asks.
    package var copies: [String] = []
    /// Whether names, local-parts and texts are redacted.
    package var redacts = true
    /// Whether they have the canonicalized body of a message whose signature fails.
    package var includesBody = false
    /// How many are made in an hour.
    package var perHour = 100
    /// The folder in which they wait.
    package var directory = defaultDirectory

    /// Where they wait if nothing is said.
    package static let defaultDirectory = "/var/lib/signet-dmarc/failures"
    private static let mostCopies = 10

    /// The directives.
    package static let directives: [DirectiveSpec] = [
        DirectiveSpec(
            "FailureReports", .boolean, default: "no", needsRestart: true,
            "Sends failure reports (RFC 9991) to domains that ask for them."),
        DirectiveSpec(
            "FailureReportsSentBy", .text, needsRestart: true,
            "The address that failure reports come from; ReportEmail if not given."),
        DirectiveSpec(
            "FailureReportsBcc", .text, needsRestart: true,
            "Addresses that get every failure report, and those that no domain asks for."),
        DirectiveSpec(
            "FailureReportsOnNone", .boolean, default: "no", needsRestart: true,
            "Reports failures of domains with p=none, too."),
        DirectiveSpec(
            "FailureReportsRedact", .boolean, default: "yes", needsRestart: true,
            "Replaces names, local-parts and subjects in failure reports (RFC 6590)."),
        DirectiveSpec(
            "FailureReportsBody", .boolean, default: "no", needsRestart: true,
            "Adds the body that a failed signature is about, where nothing is redacted."),
        DirectiveSpec(
            "FailureReportsPerHour", .integer(1...100_000), default: "100", needsRestart: true,
            "How many failure reports are made in an hour; a tenth of them for one domain."),
        DirectiveSpec(
            "FailureReportsDirectory", .path, default: defaultDirectory, needsRestart: true,
            "Where failure reports wait to be sent."),
    ]

    /// Creates what holds when nothing is said.
    package init() {}

    /// Reads the directives; what is wrong is reported to the reader.
    ///
    /// - Parameters:
    ///   - reader: the configuration.
    ///   - email: the address of ReportEmail; nil where it is not given.
    package init(_ reader: ConfigurationReader, reportEmail email: EnvelopeAddress?) {
        isOn = reader.boolean("FailureReports")
        onNone = reader.boolean("FailureReportsOnNone")
        redacts = reader.boolean("FailureReportsRedact")
        includesBody = reader.boolean("FailureReportsBody") && !redacts
        if redacts, reader.boolean("FailureReportsBody") {
            reader.report(
                .warning, "FailureReportsBody",
                "has no effect: what is redacted must not have it (RFC 6591, section 3.2.4)",
                suggestion: "set FailureReportsRedact no, too")
        }
        perHour = reader.integer("FailureReportsPerHour") ?? perHour
        directory = reader.text("FailureReportsDirectory") ?? directory
        copies = Self.copies(reader)
        if let text = reader.text("FailureReportsSentBy") {
            if let (from, sender) = Self.author(text) {
                self.from = from
                self.sender = sender
            } else {
                reader.report(
                    .error, "FailureReportsSentBy", "\"\(text)\" is not a mail address",
                    suggestion: "write it as: dmarc-reports@example.com")
            }
        } else if let email {
            from = "<\(email.text)>"
            sender = email.text
        } else if isOn {
            reader.report(
                .warning, "FailureReports",
                "none are sent, as nothing says whom they come from",
                suggestion: "set FailureReportsSentBy or ReportEmail to an address of yours")
            isOn = false
        }
    }

    private static func copies(_ reader: ConfigurationReader) -> [String] {
        let text = reader.text("FailureReportsBcc") ?? ""
        let parts = text.split(separator: ",").map {
            String($0.drop { $0 == " " }.split(separator: " ").joined(separator: " "))
        }
        var found: [String] = []
        for part in parts {
            if let address = address(part) {
                found.append(address)
            } else {
                reader.report(
                    .error, "FailureReportsBcc", "\"\(part)\" is not a mail address",
                    suggestion: "write addresses with commas between them")
            }
        }
        if found.count > mostCopies {
            reader.report(.error, "FailureReportsBcc", "has more than \(mostCopies) addresses")
        }
        return found
    }

    /// The From field and the envelope's sender of `address` or `name <address>`.
    private static func author(_ text: String) -> (from: String, sender: String)? {
        guard let angle = text.lastIndex(of: "<"), text.hasSuffix(">") else {
            return address(text).map { ("<\($0)>", $0) }
        }
        let inner = text[text.index(after: angle)...].dropLast()
        guard let sender = address(String(inner)) else { return nil }
        let name = text.utf8[..<angle].trimmingFoldingSpace().filter { $0 != UInt8(ascii: "\"") }
        guard !name.isEmpty else { return ("<\(sender)>", sender) }
        guard name.allSatisfy({ 0x20...0x7E ~= $0 }) else { return nil }
        let phrase = String(decoding: AddressSyntax.quoted(Array(name)), as: UTF8.self)
        return ("\(phrase) <\(sender)>", sender)
    }

    private static func address(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }), !text.contains("<"),
            let address = try? EnvelopeAddress(forwardPath: Array("<\(text)>".utf8).span),
            let domain = address.domain, domain.isHostName
        else { return nil }
        return address.text
    }
}
