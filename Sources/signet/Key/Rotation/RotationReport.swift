import DaemonKit
import DomainKeys
import KeyRotation
import MailSyntax

/// A domain's rotation, for people and as JSON.
struct RotationReport: Encodable {
    /// One key.
    struct Key: Encodable {
        let selector: String
        let type: String
        let state: String
        /// When it reached this state, in seconds since 1970.
        let since: Int64
        /// When it leaves this state at the earliest, in seconds since 1970.
        let until: Int64?
        /// Why the last step failed.
        let reason: String?
    }

    let domain: String
    let keys: [Key]
    /// Whether a step has failed that does not pass by waiting.
    let stuck: Bool

    /// A record may take as long as this until every server shows it, before that is a fault.
    private static let patience: Int64 = 86_400

    init(_ domain: DomainName, _ state: DomainRotation, now: Int64) {
        self.domain = domain.ascii
        keys = state.keys.map {
            Key(
                selector: $0.selector.ascii, type: $0.kind.rawValue, state: $0.stage.rawValue,
                since: $0.since, until: $0.until, reason: $0.fault)
        }
        stuck = state.keys.contains {
            $0.fault != nil && ($0.stage != .published || now - $0.since > Self.patience)
        }
    }

    /// The lines for people: a line a key, and below it what it waits for.
    func lines(now: Int64, _ terminal: Terminal) -> [String] {
        guard !keys.isEmpty else { return ["\(domain): no keys"] }
        let width = keys.map(\.selector.count).max() ?? 0
        var lines = ["\(domain):"]
        for key in keys {
            let pad = String(repeating: " ", count: width - key.selector.count)
            var line = "  \(key.selector)\(pad)  \(key.type == "rsa" ? "rsa    " : "ed25519")  "
            line += "\(key.state) for \(FileAge.words(max(0, now - key.since)))"
            if let until = key.until, until > now {
                line += ", \(FileAge.words(until - now)) to go"
            }
            lines.append(line)
            if let reason = key.reason {
                let indent = String(repeating: " ", count: width + 4)
                lines += terminal.wrapped(
                    LogText.safe(reason, limit: 2_000), label: indent, labelWidth: width + 4
                ).map {
                    terminal.coloured($0, key.state == "published" ? .yellow : .red)
                }
            }
        }
        return lines
    }
}
