internal import MailAuth
internal import MailSyntax

/// The mail that carries a failure report: multipart/report (RFC 6591, section 3; RFC 6522), without its "To".
///
/// Lines end with a line feed, as sendmail(1) takes them.
struct FailureReportMail {
    /// Who reports, as From has it.
    let from: String
    /// The program, with its version.
    let generator: String
    /// What names and texts are redacted with; nil where nothing is.
    let redactor: Redactor?

    /// Writes the mail.
    ///
    /// - Parameters:
    ///   - message: the message that failed.
    ///   - trigger: why it is reported.
    ///   - incidents: how many failures the report stands for.
    ///   - id: what tells the report from all others, in letters and digits; nobody else can know it beforehand.
    /// - Returns: header fields and body.
    func octets(
        _ message: FailedMessage, _ trigger: FailureTrigger, incidents: Int, id: String
    ) -> [UInt8] {
        let domain = message.author.domain.ascii
        let name = message.authservID.text
        let host =
            name.utf8.allSatisfy { $0.isASCIIAlphanumeric || ".-".utf8.contains($0) }
            ? name : "localhost"
        let date = MailDate(seconds: message.received).text
        let source = message.source.map { "from IP \($0.unmapped) " } ?? ""
        let boundary = "failure-\(id)"
        let head = """
            From: \(from)
            Date: \(date)
            Subject: DMARC failure report for \(domain)
            Message-ID: <\(id).failure@\(host)>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=feedback-report;
             boundary="\(boundary)"

            --\(boundary)
            Content-Type: text/plain; charset=us-ascii

            This is an authentication failure report (RFC 9991) for an email message
            received \(source)on
            \(date).
            The policy record of \(domain) asks for it.
            \(redactor == nil ? "" : "Names, local-parts and texts are replaced (RFC 6590).\n")
            --\(boundary)
            Content-Type: message/feedback-report


            """
        let middle = """

            --\(boundary)
            Content-Type: text/rfc822-headers; charset=utf-8
            Content-Transfer-Encoding: 8bit


            """
        let fields = FeedbackFields(message, trigger, redactor)
        return Array(head.utf8) + fields.lines(by: generator, incidents: incidents)
            + Array(middle.utf8) + RedactedHeader(redactor).lines(of: message.header)
            + Array("\n--\(boundary)--\n".utf8)
    }
}
