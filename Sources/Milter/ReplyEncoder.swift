internal import MailSyntax

/// Frames for the MTA, one after another in one run of octets.
struct ReplyEncoder {
    /// Appends a frame that has been read, as it was.
    static func append(_ command: UInt8, _ data: Span<UInt8>, to output: inout [UInt8]) {
        append(UInt32(truncatingIfNeeded: data.count + 1), to: &output)
        output.append(command)
        output.append(contentsOf: data)
    }

    /// Appends a frame.
    private static func append(
        _ command: Unicode.Scalar, to output: inout [UInt8],
        _ data: (inout [UInt8]) -> Void = { _ in }
    ) {
        let start = output.count
        append(0, to: &output)
        output.append(UInt8(truncatingIfNeeded: command.value))
        data(&output)
        // Edits and texts have been checked before: far below what the number holds.
        let length = UInt32(truncatingIfNeeded: output.count - start - 4)
        for offset in 0..<4 {
            output[start + offset] = UInt8(truncatingIfNeeded: length >> (24 - 8 * offset))
        }
    }

    private static func append(_ number: UInt32, to output: inout [UInt8]) {
        output.append(UInt8(truncatingIfNeeded: number >> 24))
        output.append(UInt8(truncatingIfNeeded: number >> 16))
        output.append(UInt8(truncatingIfNeeded: number >> 8))
        output.append(UInt8(truncatingIfNeeded: number))
    }

    /// Appends the answer to an offer, with the lists of macros that the filter wants.
    static func append(
        version: UInt32, _ negotiation: Negotiation, macros: [MilterStage: [String]],
        to output: inout [UInt8]
    ) {
        append("O", to: &output) { output in
            for number in [version, negotiation.actions, negotiation.options] {
                append(number, to: &output)
            }
            guard negotiation.canRequestMacros else { return }
            for (stage, names) in macros.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                append(UInt32(stage.rawValue), to: &output)
                output += names.map(MilterMacros.normalized).joined(separator: " ").utf8
                output.append(0)
            }
        }
    }

    /// Appends a reply.
    ///
    /// - Parameters:
    ///   - reply: The session's answer.
    ///   - canSkip: Whether `skip` may be said here; it is `continue` otherwise.
    ///   - output: Where to append.
    static func append(_ reply: MilterReply, canSkip: Bool = false, to output: inout [UInt8]) {
        switch reply {
        case .continue: append("c", to: &output)
        case .accept: append("a", to: &output)
        case .discard: append("d", to: &output)
        case .tempfail: append("t", to: &output)
        case .reject: append("r", to: &output)
        case .skip: append(canSkip ? "s" : "c", to: &output)
        case .reply(let reply):
            append("y", to: &output) { output in
                output += reply.wireText
                output.append(0)
            }
        }
    }

    /// Appends an edit.
    ///
    /// - Parameters:
    ///   - edit: The edit, which has been checked.
    ///   - hasLeadingSpace: Whether values go as they stand after the colon; otherwise the MTA puts
    ///     a space before each.
    ///   - output: Where to append.
    static func append(_ edit: MessageEdit, hasLeadingSpace: Bool, to output: inout [UInt8]) {
        func field(_ name: String, _ value: [UInt8], _ output: inout [UInt8]) {
            output += name.utf8
            output.append(0)
            output += MessageEdit.wireValue(value, hasLeadingSpace: hasLeadingSpace)
            output.append(0)
        }
        switch edit {
        case .insertHeader(let index, let name, let value):
            append("i", to: &output) { output in
                append(UInt32(clamping: index), to: &output)
                field(name, value, &output)
            }
        case .addHeader(let name, let value):
            append("h", to: &output) { field(name, value, &$0) }
        case .changeHeader(let name, let occurrence, let value):
            append("m", to: &output) { output in
                append(UInt32(clamping: occurrence), to: &output)
                field(name, value, &output)
            }
        case .deleteHeader(let name, let occurrence):
            append("m", to: &output) { output in
                append(UInt32(clamping: occurrence), to: &output)
                field(name, [], &output)
            }
        case .quarantine(let text): append("q", text, to: &output)
        case .addRecipient(let text): append("+", text, to: &output)
        case .deleteRecipient(let text): append("-", text, to: &output)
        case .changeSender(let text): append("e", text, to: &output)
        }
    }

    private static func append(
        _ command: Unicode.Scalar, _ text: String, to output: inout [UInt8]
    ) {
        append(command, to: &output) { output in
            output += text.utf8
            output.append(0)
        }
    }
}

extension SMTPReply {
    /// The lines as the MTA takes them: with the codes before each, a percent sign doubled.
    ///
    /// Without an enhanced code of its own a reply has that of its class (RFC 3463, section 3.1).
    fileprivate var wireText: [UInt8] {
        let enhanced = enhancedCode ?? "\(code / 100).0.0"
        let lines = escapedLines.enumerated().map { index, line in
            // RFC 5321, section 4.2.1: a hyphen after the code says that another line follows.
            "\(code)\(index + 1 < self.lines.count ? "-" : " ")\(enhanced) \(line)"
        }
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
