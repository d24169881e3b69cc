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
        /// What can be done about it.
        let mend: String?
    }

    /// How it stands, in a word.
    enum Verdict: String, Encodable {
        /// Keys sign, and none is on its way.
        case fine
        /// New keys are on their way.
        case rotating
        /// A step has failed that does not pass by waiting.
        case stuck
        /// Nothing signs, and nothing is on its way.
        case unsigned
    }

    let domain: String
    let verdict: Verdict
    let keys: [Key]
    /// Whether a step has failed that does not pass by waiting.
    let stuck: Bool

    /// A record may take as long as this until every server shows it, before that is a fault.
    private static let patience: Int64 = 86_400

    init(_ domain: DomainName, _ state: DomainRotation, in tree: KeyTree, now: Int64) {
        self.domain = domain.ascii
        keys = state.keys.map {
            Key(
                selector: $0.selector.ascii, type: $0.kind.rawValue, state: $0.stage.rawValue,
                since: $0.since, until: $0.until, reason: $0.fault,
                mend: RotationAdvice.words(for: $0, of: domain, in: tree))
        }
        let stuck = state.keys.contains {
            $0.fault != nil && ($0.stage != .published || now - $0.since > Self.patience)
        }
        self.stuck = stuck
        verdict = Self.verdict(state, isStuck: stuck)
    }

    private static func verdict(_ state: DomainRotation, isStuck: Bool) -> Verdict {
        if isStuck { return .stuck }
        if state.keys.contains(where: \.stage.isComing) { return .rotating }
        return state.signing.isEmpty ? .unsigned : .fine
    }

    /// The lines for people: the verdict, and a line a key with what it waits for.
    func lines(now: Int64, _ terminal: Terminal) -> [String] {
        let sentence = "\(domain): \(sentence)"
        var lines =
            switch verdict {
            case .fine, .rotating: terminal.wrapped(sentence, label: "", labelWidth: 0, hanging: 2)
            case .stuck, .unsigned: terminal.verdict(sentence, .red)
            }
        let width = keys.map(\.selector.count).max() ?? 0
        for key in keys {
            let pad = String(repeating: " ", count: width - key.selector.count)
            var line = "  \(key.selector)\(pad)  \(key.type == "rsa" ? "rsa    " : "ed25519")  "
            line += "\(key.state) for \(FileAge.words(max(0, now - key.since)))"
            if let until = key.until, until > now {
                line += ", \(FileAge.words(until - now)) to go"
            }
            lines.append(line)
            for (label, text) in [("why:  ", key.reason), ("mend: ", key.mend)] {
                guard let text else { continue }
                lines += terminal.wrapped(
                    LogText.safe(text, limit: 2_000), label: "      \(label)", labelWidth: 12)
            }
        }
        return lines
    }

    private var sentence: String {
        let signers = keys.filter { $0.state == KeyStage.signing.rawValue }.map(\.selector)
        let signed =
            signers.isEmpty
            ? "mail is not signed" : "mail is signed with \(signers.joined(separator: " and "))"
        return switch verdict {
        case .fine: "in order; \(signed)"
        case .rotating: "rotating; \(signed) until the new keys are known everywhere"
        case .stuck: "stuck, and waits for you; \(signed)"
        case .unsigned: keys.isEmpty ? "no keys" : signed
        }
    }
}
