internal import MailSyntax

/// The Received-SPF header field (RFC 7208, section 9.1).
///
/// The order and the comment are policyd-spf's, which log readers know. Values that are no dot-atom are
/// quoted, in UTF-8 where they are it (RFC 6532); what a quoted-string cannot hold or nobody can see becomes "?".
/// Nothing that the client said can end a value, the comment or the field.
///
/// Trust: HELO, sender and record text are hostile.
public struct ReceivedSPF: Hashable, Sendable {
    /// The result, capitalized, and the comment.
    private let opening: String
    private let identity: SPFIdentity
    private let client: IPAddress
    /// The key-value pairs after the first two, each after "; ".
    private let rest: [UInt8]
    /// Where each of them ends.
    private let ends: [Int]

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
        opening = outcome.result.capitalized + " (" + identity.rawValue + ")"
        var pairs = Pairs()
        let helo = request.helo
        pairs.append("helo", helo.span)
        if let sender = request.envelopeFrom {
            let shown = sender.isEmpty ? Array("<>".utf8) : sender
            pairs.append("envelope-from", shown.span)
        }
        let receiver = receiver ?? "<UNKNOWN>"
        pairs.append("receiver", receiver.utf8.span)
        if let problem = outcome.problem {
            let text = problem.description
            pairs.append("problem", text.utf8.span)
        } else if outcome.result != .none {
            // "if no mechanisms matched, substitute the word "default"".
            let mechanism = outcome.decision?.mechanism ?? "default"
            pairs.append("mechanism", mechanism.utf8.span)
        }
        rest = pairs.octets
        ends = pairs.ends
    }

    /// The value on one line, without the field's name: what a PREPEND action of Postfix takes.
    public var unfolded: String { line(client: shownClient) }

    /// The value for the log, on one line: as `unfolded`, with the address always bare, as programs that
    /// read policyd-spf's log expect it.
    public var logText: String { line(client: client.description) }

    /// Both; for an IPv4 address they are the same.
    public var texts: (unfolded: String, log: String) {
        let text = unfolded
        return (text, client.bitWidth == 32 ? text : logText)
    }

    /// The address; ":" is not in a dot-atom, so that an IPv6 address is quoted.
    private var shownClient: String {
        client.bitWidth == 32 ? client.description : "\"\(client)\""
    }

    private func line(client: String) -> String {
        var line: [UInt8] = []
        line.reserveCapacity(rest.count + 128)
        line += opening.utf8
        line += " identity=".utf8
        line += identity.rawValue.utf8
        line += "; client-ip=".utf8
        line += client.utf8
        line += rest
        return String(decoding: line, as: UTF8.self)
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
        var pairs = ["identity=\(identity.rawValue)", "client-ip=\(shownClient)"]
        var start = 0
        for end in ends {
            pairs.append(String(decoding: rest[(start + 2)..<end], as: UTF8.self))
            start = end
        }
        return pairs
    }

    /// Key-value pairs being put together.
    private struct Pairs {
        var octets: [UInt8] = []
        var ends: [Int] = []

        init() {
            octets.reserveCapacity(256)
            ends.reserveCapacity(4)
        }

        mutating func append(_ key: String, _ value: Span<UInt8>) {
            octets += "; ".utf8
            octets += key.utf8
            octets.append(UInt8(ascii: "="))
            ReceivedSPF.append(value, to: &octets)
            ends.append(octets.count)
        }
    }

    /// Appends a dot-atom if the octets are one, else a quoted-string (RFC 5322, sections 3.2.3 and 3.2.4).
    ///
    /// Of a value that is too long the end is kept, after "...": the domain of an address must not be cut
    /// to look like another.
    private static func append(_ octets: Span<UInt8>, to text: inout [UInt8]) {
        if octets.count <= longestValue, isDotAtom(octets) {
            text.append(contentsOf: octets)
            return
        }
        // Nearly all other values are printable ASCII, which fits even if all of it is escaped.
        if octets.count < longestValue / 2, octets.isPrintableASCII {
            text.append(0x22)
            for index in octets.indices {
                let octet = octets[index]
                if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                    text.append(UInt8(ascii: "\\"))
                }
                text.append(octet)
            }
            text.append(0x22)
            return
        }
        var quoted: [Unicode.Scalar] = ["\""]
        var length = 1
        for scalar in VisibleText.scalars(octets.copied()).reversed() {
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
        text += String(String.UnicodeScalarView(quoted.reversed())).utf8
    }

    private static func isDotAtom(_ octets: Span<UInt8>) -> Bool {
        var previous: UInt8 = 0x2E
        for index in octets.indices {
            let octet = octets[index]
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

extension SPFResult {
    /// The word as policyd-spf begins the field with it.
    fileprivate var capitalized: String {
        switch self {
        case .none: "None"
        case .neutral: "Neutral"
        case .pass: "Pass"
        case .fail: "Fail"
        case .softfail: "Softfail"
        case .temperror: "Temperror"
        case .permerror: "Permerror"
        }
    }
}
