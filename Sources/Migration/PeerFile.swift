internal import MailSyntax
internal import Setup

/// A directive in a peer's file.
struct PeerDirective: Hashable, Sendable {
    var name: String
    var value: String
    /// The line, from 1.
    var line: Int
}

/// The peers' files, whose lines are all `name value` in one form or another.
enum PeerFile {
    /// The directives of a file, in order.
    static func directives(_ peer: Peer, _ contents: [UInt8]) -> [PeerDirective] {
        DirectiveText(contents).directives.map {
            PeerDirective(name: $0.name, value: $0.value, line: $0.line)
        }
    }

    /// A line of our file.
    static func line(_ name: String, _ value: String) -> String {
        let space = String(repeating: " ", count: max(1, 20 - name.count))
        return "\(name)\(space)\(value)\n"
    }

    /// Whether a network has bits of a host in it.
    static func hasHostBits(_ item: Substring) -> Bool {
        IPNetwork(item)?.hadHostBits ?? false
    }
}

/// dkimproxy.out's configuration as signet-dkim's directives.
enum DKIMProxyFile {
    /// Translates `domain`, `selector`, `keyfile` and `signature dkim(c=…)`.
    static func directives(_ directives: [PeerDirective]) -> [PeerDirective] {
        directives.flatMap { directive -> [PeerDirective] in
            let renamed = { (name: String) in
                [PeerDirective(name: name, value: directive.value, line: directive.line)]
            }
            switch directive.name.lowercased() {
            case "domain": return renamed("Domain")
            case "selector": return renamed("Selector")
            case "keyfile": return renamed("KeyFile")
            case "signature": return canonicalization(directive)
            default: return [directive]
            }
        }
    }

    private static func canonicalization(_ directive: PeerDirective) -> [PeerDirective] {
        guard directive.value.hasPrefix("dkim"),
            let start = directive.value.range(ofText: "c=")
        else { return [] }
        let value = directive.value[start...].prefix { $0 != "," && $0 != ")" && $0 != " " }
        return [
            PeerDirective(name: "Canonicalization", value: String(value), line: directive.line)
        ]
    }
}

extension String {
    /// Where a text ends that stands in this one.
    fileprivate func range(ofText text: String) -> Index? {
        indices.first { self[$0...].hasPrefix(text) }.map { index($0, offsetBy: text.count) }
    }
}
