import DaemonKit
import MailSyntax

/// Looks in Postfix's configuration for a signer that stands before us: what we change afterwards would break its signature.
///
/// A guess, and so a warning only: sockets are recognised by their names, and parameters that other parameters stand for are not
/// followed.
///
/// Trust: the files are the postmaster's; without them nothing is said.
struct MilterOrder {
    /// Where main.cf and master.cf are.
    let directory: String
    /// Our socket, whose place in a list of milters is ours.
    let socket: SocketSpec?

    private static let sizeLimit = 4 << 20

    /// Reports what stands in a wrong order.
    func check(_ reader: ConfigurationReader) {
        guard case .unix(let path)? = socket else { return }
        for name in ["main.cf", "master.cf"] {
            let file = "\(directory)/\(name)"
            guard let bytes = FileContents.ifReadable(file, limit: Self.sizeLimit) else { continue }
            for (line, text) in Self.logicalLines(String(decoding: bytes, as: UTF8.self)) {
                guard let signer = Self.signer(before: path, in: text) else { continue }
                reader.report(
                    ConfigurationProblem(
                        .warning, at: SourceLocation(file: file, line: line),
                        "\(signer) signs before signet-scrub has changed the message",
                        suggestion: "name signet-scrub before the signer in the list of milters"))
            }
        }
    }

    /// Lines with those that continue them, which begin with white space (postconf(5)); comments are left out.
    static func logicalLines(_ text: String) -> [(number: Int, text: String)] {
        var lines: [(number: Int, text: String)] = []
        let physical = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in physical.enumerated() {
            guard let first = line.utf8.first, first != UInt8(ascii: "#") else { continue }
            if first.isWSP, !lines.isEmpty {
                lines[lines.count - 1].text += line
            } else {
                lines.append((index + 1, String(line)))
            }
        }
        return lines
    }

    /// The signer that a list of milters in the line names before the socket.
    static func signer(before path: String, in line: String) -> String? {
        let separators = Set(" \t,{}=")
        var signer: String?
        for word in line.split(whereSeparator: separators.contains) {
            // Each parameter begins a list of its own.
            if word.hasSuffix("_milters") { signer = nil }
            guard let colon = word.firstIndex(of: ":") else { continue }
            let place = word[word.index(after: colon)...]
            if word[..<colon] == "unix" || word[..<colon] == "local" {
                // In main.cf the path is relative to the queue directory.
                if path == place || path.hasSuffix("/\(place)") {
                    if let signer { return signer }
                    continue
                }
            }
            if isSigner(word) { signer = signer ?? String(word) }
        }
        return nil
    }

    /// The names that packages give to sockets of signers; 8891 is OpenDKIM's usual port.
    private static func isSigner(_ word: Substring) -> Bool {
        word.asciiLowercased.contains("dkim") || word.contains(":8891")
    }
}

extension Substring {
    /// The text with ASCII capitals in lower case.
    fileprivate var asciiLowercased: String { String(self).asciiLowercased }
}
