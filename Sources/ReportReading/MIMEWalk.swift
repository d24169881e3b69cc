internal import MailSyntax

/// A part of a message that has no parts itself.
struct MIMELeaf {
    /// The media type, in lower case; empty where the part does not say.
    var type: String
    /// The name of the file.
    var name: String
    /// The octets behind the transfer encoding.
    var octets: [UInt8]
    /// Which message it is part of: 0 for the outermost, then in the order in which they begin.
    var message: Int
    /// What is wrong with its encoding.
    var note: String?
}

/// The walk through the parts of a message (RFC 2046), bounded in depth and number.
struct MIMEWalk {
    /// The parts, in their order.
    private(set) var leaves: [MIMELeaf] = []
    /// The headers of the messages: the outermost first.
    private(set) var messages: [MIMEHeader] = []
    /// What could not be followed.
    private(set) var notes: [String] = []
    private let limits: ReadingLimits

    /// Walks through a message; nil where the octets have no header.
    init?(_ octets: ArraySlice<UInt8>, _ limits: ReadingLimits) {
        self.limits = limits
        guard walkMessage(octets, depth: 0) else { return nil }
    }

    private mutating func walkMessage(_ octets: ArraySlice<UInt8>, depth: Int) -> Bool {
        guard let (header, body) = MIMEHeader.read(octets, atMost: limits.header) else {
            return false
        }
        messages.append(header)
        walk(header, octets[body...], message: messages.count - 1, depth: depth)
        return true
    }

    private mutating func walk(
        _ header: MIMEHeader, _ body: ArraySlice<UInt8>, message: Int, depth: Int
    ) {
        guard leaves.count < limits.parts else {
            note("the message has more than \(limits.parts) parts: the rest is not read")
            return
        }
        let type = header.contentType
        if depth < limits.nesting {
            if type.value.hasPrefix("multipart/"), let boundary = type.parameter("boundary"),
                !boundary.isEmpty
            {
                walkParts(body, boundary, message: message, depth: depth)
                return
            }
            if type.value == "message/rfc822" || type.value == "message/global" {
                let (octets, _) = TransferDecoding.decoded(body, header.encoding)
                let trimmed = octets.drop { $0.isFoldingSpace }
                // A failure report has the message that it is about, which is nobody's report.
                if isFailureReport(message) {
                    leaves.append(
                        MIMELeaf(
                            type: type.value, name: header.fileName, octets: Array(trimmed),
                            message: message))
                    return
                }
                if walkMessage(trimmed, depth: depth + 1) { return }
            }
        } else if type.value.hasPrefix("multipart/") || type.value.hasPrefix("message/") {
            note("parts are nested deeper than \(limits.nesting): they are not read")
            return
        }
        let (octets, note) = TransferDecoding.decoded(body, header.encoding)
        leaves.append(
            MIMELeaf(
                type: type.value, name: header.fileName, octets: octets, message: message,
                note: note))
    }

    private mutating func walkParts(
        _ body: ArraySlice<UInt8>, _ boundary: String, message: Int, depth: Int
    ) {
        let delimiter = Array("--\(boundary)".utf8)
        var start: Int?
        var position = body.startIndex
        func walkPart(_ end: Int, _ walk: inout MIMEWalk) {
            guard let start, start <= end else { return }
            // The line end before a delimiter is the delimiter's (RFC 2046, section 5.1.1).
            var part = body[start..<end]
            if part.last == .lf { part = part.dropLast() }
            if part.last == .cr { part = part.dropLast() }
            if let (header, begin) = MIMEHeader.read(part, atMost: walk.limits.header) {
                walk.walk(header, part[begin...], message: message, depth: depth + 1)
            } else {
                let text = part.drop { $0 == .cr || $0 == .lf }
                walk.walk(MIMEHeader(), text, message: message, depth: depth + 1)
            }
        }
        while position < body.endIndex {
            let lineEnd = body[position...].firstIndex(of: .lf) ?? body.endIndex
            let line = body[position..<lineEnd]
            if line.first == 0x2D, line.starts(with: delimiter) {
                let rest = line.dropFirst(delimiter.count)
                let isEnd = rest.starts(with: "--".utf8)
                if isEnd || rest.allSatisfy({ $0.isFoldingSpace }) {
                    walkPart(position, &self)
                    guard !isEnd, leaves.count < limits.parts else { return }
                    start = min(lineEnd + 1, body.endIndex)
                }
            }
            position = lineEnd + 1
        }
        // The last delimiter is missing: the message was cut, or its sender is careless.
        walkPart(body.endIndex, &self)
    }

    /// Whether a message has the part that makes it a failure report (RFC 5965, section 2).
    private func isFailureReport(_ message: Int) -> Bool {
        leaves.contains { $0.message == message && $0.type == "message/feedback-report" }
            || messages[message].contentType.parameter("report-type")?.asciiLowercased
                == "feedback-report"
    }

    private mutating func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }
}
