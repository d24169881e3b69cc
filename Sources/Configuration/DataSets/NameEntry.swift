import MailSyntax

/// An entry of a set of names or clients, its `!` taken off.
struct NegatableEntry {
    let text: String
    let isMember: Bool

    init(_ key: String) {
        isMember = !key.hasPrefix("!")
        text = isMember ? key : String(key.dropFirst()).trimmingBlanks()
    }
}

/// Reads the names of an entry: a pattern under `refile:`, `.domain`, or a name.
enum NameEntry {
    case glob(Glob)
    case name(String)

    struct Fault: Error {
        let message: String
        var suggestion: String?
        /// Whether the entry does no harm: the peer reads it too, and it matches nothing.
        var isHarmless = false
    }

    init(_ text: String, matching: DataSet.Matching) throws(Fault) {
        if text.utf8.contains(UInt8(ascii: "*")) {
            guard matching == .patterns else {
                throw Fault(
                    message: "\"\(text)\" is a pattern, and nothing matches it here",
                    suggestion: "put it in a file named with refile:, or write "
                        + Self.plainForm(of: text), isHarmless: true)
            }
            do { self = .glob(try Glob(text)) } catch { throw Fault(message: error.message) }
            return
        }
        let isParent = text.hasPrefix(".")
        do {
            let name = try DomainName(isParent ? text.dropFirst() : text[...])
            guard name.labelCount > 0, Self.isPlausible(name) else {
                throw Fault(message: "\"\(text)\" is not a domain or host name")
            }
            self = .name((isParent ? "." : "") + name.ascii)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(message: "\"\(text)\" is not a domain or host name")
        }
    }

    /// What says in a plain set what a pattern was meant to say.
    private static func plainForm(of pattern: String) -> String {
        let parts = pattern.split(separator: ".", omittingEmptySubsequences: false)
        let octets = parts.prefix { UInt8($0) != nil }
        if (1...3).contains(octets.count), parts.count <= 4,
            parts.dropFirst(octets.count).allSatisfy({ $0 == "*" })
        {
            let all = octets + Array(repeating: "0", count: 4 - octets.count)
            return "\(all.joined(separator: "."))/\(8 * octets.count)"
        }
        let parent = pattern.hasPrefix("*.") ? String(pattern.dropFirst()) : ".example.com"
        return "\(parent) for all names below \(parent.dropFirst())"
    }

    /// Whether names like this exist: letters, digits, hyphens, underscores, and no number at the end, so that a mistyped
    /// address is not taken for a name that never matches.
    private static func isPlausible(_ name: DomainName) -> Bool {
        let allowed = name.ascii.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default:
                false
            }
        }
        return allowed && name.labels.last.map { !$0.utf8.allSatisfy(Self.isDigit) } ?? false
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}

extension NameEntry.Fault {
    /// How much it matters: an entry that takes nobody in is left out with a warning, as the peers start with it; one that should
    /// take somebody out again would leave him in.
    func severity(for entry: NegatableEntry) -> ConfigurationProblem.Severity {
        isHarmless && entry.isMember ? .warning : .error
    }
}
