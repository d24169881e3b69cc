internal import MailSyntax

/// The mail that carries an aggregate report (RFC 9990, section 3.5.2), without its "To".
///
/// Lines end with a line feed, as sendmail(1) takes them.
enum ReportMail {
    /// Writes the mail.
    ///
    /// - Parameters:
    ///   - identity: the report's.
    ///   - compressed: the compressed document.
    ///   - reporter: who reports.
    ///   - time: the mail's date, in seconds since 1970.
    /// - Returns: header fields and body; the same for the same arguments.
    static func text(
        _ identity: ReportIdentity, _ compressed: [UInt8], by reporter: Reporter, at time: Int64
    ) -> String {
        let boundary = "report-\(identity.reportID)"
        let day = CalendarDay(number: identity.begin / 86_400)
        var text = """
            From: \(displayName(reporter.organization)) <\(reporter.email)>
            Date: \(MailDate(seconds: max(0, time)).text)
            Subject: Report Domain: \(identity.policyDomain)
             Submitter: \(identity.receiver)
             Report-ID: <\(identity.reportID)>
            Message-ID: <\(identity.reportID)@\(identity.receiver)>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="\(boundary)"

            --\(boundary)
            Content-Type: text/plain; charset=us-ascii

            This is a DMARC aggregate report (RFC 9990) about mail of the policy domain
            \(identity.policyDomain)
            that came on \(day) (UTC) to
            \(identity.receiver)

            --\(boundary)
            Content-Type: application/gzip
            Content-Transfer-Encoding: base64
            Content-Disposition: attachment;
             filename="\(identity.fileName)"


            """
        let octets = Base64.octets(of: compressed.span)
        for start in stride(from: 0, to: octets.count, by: lineLength) {
            let line = octets[start..<min(start + lineLength, octets.count)]
            text += String(decoding: line, as: UTF8.self)
            text += "\n"
        }
        text += "\n--\(boundary)--\n"
        return text
    }

    /// "The encoded output stream must be represented in lines of no more than 76 characters each"
    /// (RFC 2045, section 6.8).
    private static let lineLength = 76
    /// What one encoded word has room for, in octets, before base64: 75 characters in all (RFC
    /// 2047, section 2).
    private static let wordLength = 42

    /// A name as a phrase: as a quoted string, or, where it is not ASCII, as encoded words (RFC
    /// 2047).
    ///
    /// It comes from a configuration file, which may have any characters but line ends.
    static func displayName(_ name: String) -> String {
        let name = name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        if name.allSatisfy(\.isASCII) {
            let octets = name.map { UInt8(truncatingIfNeeded: $0.value) }
            return String(decoding: AddressSyntax.quoted(octets), as: UTF8.self)
        }
        var words: [[UInt8]] = [[]]
        for scalar in name {
            let octets = Array(String(scalar).utf8)
            if words[words.count - 1].count + octets.count > wordLength { words.append([]) }
            words[words.count - 1] += octets
        }
        return words.map { "=?UTF-8?B?\(Base64.encode($0))?=" }.joined(separator: "\n ")
    }
}
