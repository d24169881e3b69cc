public import MailSyntax

/// How many fields of each name a message may have (RFC 5322, section 3.6), for RequiredHeaders.
public enum RequiredFields {
    private static let exactlyOne: [FieldName] = [.date, .from]
    private static let atMostOne: [FieldName] = [
        .sender, .replyTo, .to, .cc, "Bcc", .messageID, "In-Reply-To", "References", .subject,
    ]

    /// What breaks the rules, in words for the client; nil when nothing does.
    public static func fault(in header: HeaderSection) -> String? {
        for name in exactlyOne where header.count(named: name) != 1 {
            let count = header.count(named: name)
            return count == 0 ? "no \(name) header field" : "\(count) \(name) header fields"
        }
        for name in atMostOne where header.count(named: name) > 1 {
            return "\(header.count(named: name)) \(name) header fields"
        }
        return nil
    }
}
