internal import MailSyntax

/// The Received-SPF header field (RFC 7208, section 9.1).
///
/// The order and the comment are policyd-spf's, which log readers know. Values that are no dot-atom are
/// quoted, in UTF-8 where they are it (RFC 6532); what a quoted-string cannot hold or nobody can see becomes "?".
/// Nothing that the client said can end a value, the comment or the field.
///
/// Trust: HELO, sender and record text are hostile.
public struct ReceivedSPF: Hashable, Sendable {
    /// The key-value pairs after the first two, ready to be joined by "; ".
    private let rest: [String]
    private let identity: SPFIdentity
    private let client: IPAddress
    /// The result, capitalized, and the comment.
    private let opening: String

    /// The field's name.
    public static let name = "Received-SPF"

    /// The most octets of one value that are written, so that the whole field is within the 998 octets
    /// of a line (RFC 5322, section 2.1.1).
    private static let longestValue = 200

    /// Describes the outcome of a check.
    ///
    /// - Parameters:
    ///   - outcome: what the check came to.
    ///   - receiver: the host that checked; nil to withhold it.
    public init(_ outcome: SPFOutcome, receiver: String? = nil) {
        let request = outcome.request
        identity = request.identity
        client = request.client
        let word = outcome.result.rawValue
        opening = "\(word.prefix(1).uppercased())\(word.dropFirst()) (\(identity.rawValue))"
        var rest = ["helo=\(ReceivedSPF.value(request.helo))"]
        if let sender = request.envelopeFrom {
            rest.append("envelope-from=\(ReceivedSPF.address(sender))")
        }
        rest.append(
            "receiver=\(ReceivedSPF.value(Array((receiver ?? "<UNKNOWN>").utf8)))")
        if let problem = outcome.problem {
            rest.append("problem=\(ReceivedSPF.value(Array(problem.description.utf8)))")
        } else if outcome.result != .none {
            // "if no mechanisms matched, substitute the word "default"".
            let mechanism = outcome.decision?.mechanism ?? "default"
            rest.append("mechanism=\(ReceivedSPF.value(Array(mechanism.utf8)))")
        }
        self.rest = rest
    }

    /// The value on one line, without the field's name: what a PREPEND action of Postfix takes.
    public var unfolded: String { opening + " " + pairs.joined(separator: "; ") }

    /// The value for the log, on one line: as `unfolded`, with the address always bare, as programs that
    /// read policyd-spf's log expect it.
    public var logText: String {
        opening + " identity=\(identity.rawValue); client-ip=\(client); "
            + rest.joined(separator: "; ")
    }

    /// The value in lines of up to 78 octets where the pairs allow it, each after the first beginning
    /// with a tab and joined by "\n", without the field's name.
    public var folded: String {
        var text = opening
        var column = ReceivedSPF.name.utf8.count + 2 + opening.utf8.count
        for (index, pair) in pairs.enumerated() {
            let piece = index + 1 < pairs.count ? pair + ";" : pair
            if column + 1 + piece.utf8.count <= 78 {
                text += " " + piece
                column += 1 + piece.utf8.count
            } else {
                text += "\n\t" + piece
                column = 8 + piece.utf8.count
            }
        }
        return text
    }

    private var pairs: [String] {
        // ":" is not in a dot-atom, so that an IPv6 address is quoted.
        [
            "identity=\(identity.rawValue)",
            "client-ip=\(ReceivedSPF.value(Array(client.description.utf8)))",
        ] + rest
    }

    /// An address; the null reverse-path is shown as "<>".
    private static func address(_ octets: [UInt8]) -> String {
        octets.isEmpty ? "\"<>\"" : value(octets)
    }

    /// A dot-atom if the octets are one, else a quoted-string (RFC 5322, sections 3.2.3 and 3.2.4).
    ///
    /// Of a value that is too long the end is kept, after "...": the domain of an address must not be cut
    /// to look like another.
    private static func value(_ octets: [UInt8]) -> String {
        if octets.count <= longestValue, isDotAtom(octets) {
            return String(decoding: octets, as: UTF8.self)
        }
        // Nearly all other values are printable ASCII, which fits even if all of it is escaped.
        if octets.count < longestValue / 2, octets.allSatisfy({ (0x20...0x7E).contains($0) }) {
            var quoted: [UInt8] = [0x22]
            for octet in octets {
                if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                    quoted.append(UInt8(ascii: "\\"))
                }
                quoted.append(octet)
            }
            quoted.append(0x22)
            return String(decoding: quoted, as: UTF8.self)
        }
        var quoted: [Unicode.Scalar] = ["\""]
        var length = 1
        for scalar in VisibleText.scalars(octets).reversed() {
            guard length < longestValue - 2 else {
                quoted += [".", ".", "."]
                break
            }
            quoted.append(scalar)
            length += UTF8.width(scalar)
            if scalar == "\"" || scalar == "\\" {
                quoted.append("\\")
                length += 1
            }
        }
        quoted.append("\"")
        return String(String.UnicodeScalarView(quoted.reversed()))
    }

    private static func isDotAtom(_ octets: [UInt8]) -> Bool {
        var previous: UInt8 = 0x2E
        for octet in octets {
            guard octet == 0x2E ? previous != 0x2E : isAtomText(octet) else { return false }
            previous = octet
        }
        return previous != 0x2E
    }

    /// Whether an octet is "atext" (RFC 5322, section 3.2.3).
    private static func isAtomText(_ octet: UInt8) -> Bool {
        switch octet {
        // ! # $ % & ' * + - / = ? ^ _ ` { | } ~
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: true
        default: octet.isASCIIAlphanumeric
        }
    }
}
