import MailAuth
import MailSyntax
import ReportReading

/// A header section with a change taken back that somebody on the way may have made.
struct HeaderTrial {
    /// What would have to be otherwise: `"[list] " were not in Subject`.
    let condition: String
    /// New values by the fields' places; nil for a field that is left out.
    fileprivate(set) var edits: [Int: [UInt8]?]

    /// The header section as it would be.
    func applied(to header: HeaderSection) -> HeaderSection {
        var result = HeaderSection(limits: .greatest)
        for position in header.fields.indices {
            let value: [UInt8]
            if let edit = edits[position] {
                guard let new = edit else { continue }
                value = new
            } else {
                value = Array(header.value(of: position))
            }
            _ = result.append(name: Array(header.name(of: position)), value: value)
        }
        return result
    }

    /// Both changes taken back.
    fileprivate func and(_ other: HeaderTrial) -> HeaderTrial {
        HeaderTrial(
            condition: "\(condition), and \(other.condition)",
            edits: edits.merging(other.edits) { first, _ in first })
    }
}

/// The changes of signed header fields that lists, scanners and gateways are known to make.
///
/// None is believed: a signature that verifies with one taken back was made over that text.
///
/// Trust: the header section and the names in `h=` are anyone's; the number of trials is bounded.
struct HeaderTrials {
    private let header: HeaderSection
    /// How often each name is in `h=`, in small letters.
    private let covered: [String: Int]
    private let isSimple: Bool

    /// The most trials of one signature.
    private static let most = 80

    /// Looks at a signature's tags; nil where it has none.
    init?(_ header: HeaderSection, signature: ArraySlice<UInt8>) {
        guard let summary = SignatureSummary(Array(signature)) else { return nil }
        self.header = header
        covered = summary.covered
        isSimple = !summary.canonicalization.hasPrefix("relaxed")
    }

    /// The trials, the likeliest first.
    var all: [HeaderTrial] {
        let (subjects, authors) = (subjects, authors)
        let pairs = subjects.flatMap { subject in authors.map { subject.and($0) } }
        let single =
            subjects + authors + repeated + encodings + quotes + (isSimple ? foldings : [])
            + transferEncodings + additions
        return Array((single + pairs).prefix(Self.most))
    }

    // MARK: Fields

    private func positions(_ name: String) -> [Int] {
        guard covered[name.lowercased()] != nil else { return [] }
        return header.indices(named: Array(name.utf8).span)
    }

    private func text(_ position: Int) -> String {
        String(decoding: header.value(of: position), as: UTF8.self)
    }

    /// A trial with another text in one field.
    private func trial(_ condition: String, _ position: Int, _ text: String) -> HeaderTrial {
        HeaderTrial(condition: condition, edits: [position: Array(text.utf8)])
    }

    /// Signed fields of which there are several: a copy may have been added.
    private var repeated: [HeaderTrial] {
        covered.keys.sorted().flatMap { name -> [HeaderTrial] in
            let places = positions(name)
            guard (2...8).contains(places.count) else { return [] }
            return places.enumerated().reversed().map { index, position in
                HeaderTrial(
                    condition:
                        "\(shown(position)) \(index + 1) of \(places.count) were not there",
                    edits: [position: nil])
            }
        }
    }

    /// Fields that may have been added where `h=` names them so that they cannot be.
    private var additions: [HeaderTrial] {
        covered.keys.sorted().compactMap { name in
            let places = positions(name)
            guard places.count == 1, name != "from" else { return nil }
            return HeaderTrial(
                condition: "\(shown(places[0])) were not there", edits: [places[0]: nil])
        }
    }

    private func shown(_ position: Int) -> String {
        String(decoding: header.name(of: position).prefix(60), as: UTF8.self)
    }

    // MARK: Subject

    private static let marks: [(open: String, close: String)] = [
        ("[", "]"), ("***", "***"), ("{", "}"), ("(", ")"),
    ]

    /// Subjects without what lists and scanners put in front: `[list]`, `***SPAM***`.
    private var subjects: [HeaderTrial] {
        positions("Subject").prefix(2).flatMap { position -> [HeaderTrial] in
            let text = text(position)
            var trials: [HeaderTrial] = []
            var (head, rest) = ("", text.drop { $0.isWhitespace })
            // A mark may stand behind "Re: "; several may follow one another.
            for _ in 0..<4 {
                if let mark = Self.mark(rest) {
                    rest = rest[mark.endIndex...].drop { $0 == " " || $0 == "\t" }
                    trials.append(
                        trial("\"\(mark)\" were not in Subject", position, " \(head)\(rest)"))
                } else if let colon = rest.prefix(6).firstIndex(of: ":") {
                    let word = rest[...colon]
                    rest = rest[rest.index(after: colon)...].drop { $0 == " " }
                    head += "\(word) "
                } else {
                    break
                }
            }
            return trials
        }
    }

    private static func mark(_ text: Substring) -> Substring? {
        for (open, close) in marks where text.hasPrefix(open) {
            let inner = text.dropFirst(open.count).prefix(60)
            guard let end = inner.indices.first(where: { inner[$0...].hasPrefix(close) }) else {
                continue
            }
            return text[..<text.index(end, offsetBy: close.count)]
        }
        return nil
    }

    // MARK: From

    /// Authors as they were before a list put its own address there.
    private var authors: [HeaderTrial] {
        guard let position = positions("From").first else { return [] }
        return ["X-Original-From", "Reply-To", "Original-From", "X-Original-Sender"].compactMap {
            name in
            guard let source = header.indices(named: Array(name.utf8).span).first else {
                return nil
            }
            var trial = trial("From were what \(name) says", position, text(source))
            // Where h= names it, adding it breaks the signature as well.
            if covered[name.lowercased()] != nil {
                trial = trial.and(
                    HeaderTrial(condition: "\(name) were not there", edits: [source: nil]))
            }
            return trial
        }
    }

    // MARK: The same in other words

    private static let worded = ["Subject", "From", "To", "Cc", "Reply-To", "Sender"]

    /// Fields without RFC 2047's encoded words: gateways turn 8-bit text into them.
    private var encodings: [HeaderTrial] {
        Self.worded.compactMap { name in
            guard let position = positions(name).first else { return nil }
            let text = text(position)
            let decoded = EncodedWords.decoded(text)
            return decoded == text
                ? nil : trial("\(name) were not encoded (RFC 2047)", position, decoded)
        }
    }

    /// Names with quotation marks for those without, and the other way round.
    private var quotes: [HeaderTrial] {
        Self.worded.dropFirst().compactMap { name in
            guard let position = positions(name).first else { return nil }
            let text = text(position)
            let bare = text.drop { $0.isWhitespace }
            guard let open = bare.firstIndex(of: "<") else { return nil }
            let shown = bare[..<open].split(separator: " ").joined(separator: " ")
            guard !shown.isEmpty, !bare[..<open].contains("\n") else { return nil }
            if shown.hasPrefix("\""), shown.hasSuffix("\""), shown.count > 2 {
                return trial(
                    "the name in \(name) had no quotation marks", position,
                    " \(shown.dropFirst().dropLast()) \(bare[open...])")
            }
            return trial(
                "the name in \(name) had quotation marks", position,
                " \"\(shown)\" \(bare[open...])")
        }
    }

    /// Fields on one line: with simple canonicalization folding counts (RFC 6376, section 3.4.1).
    private var foldings: [HeaderTrial] {
        var every: [Int: [UInt8]?] = [:]
        var trials: [HeaderTrial] = []
        for name in covered.keys.sorted() {
            guard let position = positions(name).last else { continue }
            let value = Array(header.value(of: position))
            let unfolded = value.filter { $0 != 0x0A && $0 != 0x0D }
            guard unfolded != value else { continue }
            every[position] = unfolded
            trials.append(
                HeaderTrial(
                    condition: "\(shown(position)) were not folded", edits: [position: unfolded]))
        }
        guard trials.count > 1 else { return trials }
        return trials + [HeaderTrial(condition: "no field were folded", edits: every)]
    }

    /// A body that was sent in another encoding and back again leaves its name changed.
    private var transferEncodings: [HeaderTrial] {
        guard let position = positions("Content-Transfer-Encoding").first else { return [] }
        let present = text(position).lowercased().filter { !$0.isWhitespace }
        return ["7bit", "8bit", "quoted-printable", "base64"].filter { $0 != present }.map {
            trial("Content-Transfer-Encoding were \($0)", position, " \($0)")
        }
    }
}
