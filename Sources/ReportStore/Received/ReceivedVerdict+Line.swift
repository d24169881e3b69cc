extension ReceivedVerdict {
    /// The longest text of a verdict: an index of PostgreSQL's holds no more than 2,704 octets.
    private static let lineLimit = 2400

    /// The verdict as the store has it: a line of fields between tabs, and a line for each signature and each reason.
    var line: String {
        let fields = [
            headerFrom, envelopeFrom, envelopeTo, disposition, isDKIMAligned ? "1" : "0",
            isSPFAligned ? "1" : "0", spfDomain, spfResult,
        ]
        var text = fields.map { Self.field($0) }.joined(separator: "\t")
        for signature in signatures {
            let line =
                "\ns\(Self.field(signature.domain))\t\(Self.field(signature.selector))"
                + "\t\(Self.field(signature.result))"
            guard text.utf8.count + line.utf8.count <= Self.lineLimit else { break }
            text += line
        }
        for reason in reasons.split(separator: "\n") {
            let line = "\nr\(Self.field(String(reason)))"
            guard text.utf8.count + line.utf8.count <= Self.lineLimit else { break }
            text += line
        }
        return text
    }

    /// Reads a verdict as the store has it.
    init(line: String) {
        self.init()
        for (number, text) in line.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let rest = number == 0 ? text : text.dropFirst()
            let fields = rest.split(separator: "\t", omittingEmptySubsequences: false)
                .map(String.init)
            if number == 0, fields.count >= 8 {
                (headerFrom, envelopeFrom, envelopeTo) = (fields[0], fields[1], fields[2])
                disposition = fields[3]
                (isDKIMAligned, isSPFAligned) = (fields[4] == "1", fields[5] == "1")
                (spfDomain, spfResult) = (fields[6], fields[7])
            } else if text.first == "s", fields.count == 3 {
                signatures.append(
                    Signature(domain: fields[0], selector: fields[1], result: fields[2]))
            } else if text.first == "r" {
                reasons += (reasons.isEmpty ? "" : "\n") + rest
            }
        }
    }

    /// A text without what parts the fields.
    private static func field(_ text: String) -> String {
        BoundedText.line(text, atMost: 255)
    }
}
