internal import MailSyntax

/// What a mail and the name of a file say about a report that does not say it itself.
struct ReportHints {
    /// The domain that it is about; empty where nothing says so.
    var domain = ""
    /// The begin of the period.
    var begin: Int64?
    /// The end of the period.
    var end: Int64?
    /// The From field of the mail; empty where there is none.
    var sender = ""
    /// What identifies the mail.
    var messageID = ""
    /// When the mail was written.
    var date: Int64?
    /// Its Subject.
    var subject = ""

    /// Takes what a file's name says: "receiver!domain!begin!end" with more after it (RFC 9990, section 3.5.2).
    mutating func take(fileName: String) {
        let base = fileName.split(separator: "/").last ?? ""
        let parts = base.split(separator: "!", omittingEmptySubsequences: false)
        guard parts.count >= 4 else { return }
        if let name = try? DomainName(parts[1]), name.isHostName { domain = name.ascii }
        begin = ReportTime.seconds(String(parts[2].prefix { $0.isNumber }))?.time ?? begin
        end = ReportTime.seconds(String(parts[3].prefix { $0.isNumber }))?.time ?? end
    }

    /// Takes what the header of a mail says: "Report Domain: example.org Submitter: …" (RFC 9990, section 3.5.2).
    mutating func take(_ header: MIMEHeader) {
        sender = EncodedWords.decoded(header["from"] ?? "")
        if let bracket = sender.lastIndex(of: "<") {
            sender = String(sender[sender.index(after: bracket)...].prefix { $0 != ">" })
        }
        messageID = PlainText.line(header["message-id"] ?? "", atMost: 255)
        date = ReportTime.date(header["date"] ?? "")
        subject = PlainText.line(EncodedWords.decoded(header["subject"] ?? ""), atMost: 500)
        let words = subject.split(whereSeparator: { " ;{}<>".contains($0) })
        guard let place = words.firstIndex(where: { $0.lowercased() == "domain:" }),
            place + 1 < words.count, let name = try? DomainName(words[place + 1]),
            name.isHostName
        else { return }
        domain = name.ascii
    }
}
