internal import MailCrypto
internal import MailSyntax

/// The fields of one message in the form in which signatures hash them, each prepared when the
/// first signature covers it and not again for the next (RFC 6376, sections 3.4.1 and 3.4.2).
///
/// Trust: any header section; time and memory linear in its size, however many signatures there are.
struct SignedFields {
    private let header: HeaderSection
    private let truncated: Set<Int>
    /// The relaxed forms, in the order in which they were asked for.
    private var relaxed: [UInt8] = []
    /// Where in `relaxed` a field is; empty where nobody has asked for it.
    private var places: [Range<Int>]
    private var nulState: [NULState]

    private enum NULState {
        case unknown, absent, present
    }

    /// Prepares for a header section.
    ///
    /// - Parameters:
    ///   - header: the whole header section.
    ///   - truncated: the fields that are known to have been cut at a NUL octet on the way here.
    init(_ header: HeaderSection, truncated: Set<Int>) {
        self.header = header
        self.truncated = truncated
        places = [Range<Int>](repeating: 0..<0, count: header.count)
        nulState = [NULState](repeating: .unknown, count: header.count)
    }

    /// Adds fields to a hash, in order.
    mutating func hash(
        _ positions: [Int], _ kind: Canonicalization, into digest: inout SHA256
    ) {
        if kind == .relaxed { for position in positions { prepare(position) } }
        // Fields that lie one after the other go to the hash in one piece.
        var run = 0..<0
        for position in positions {
            let place = kind == .relaxed ? places[position] : header.fields[position].whole
            if place.lowerBound == run.upperBound {
                run = run.lowerBound..<place.upperBound
            } else {
                update(&digest, kind, run)
                run = place
            }
        }
        update(&digest, kind, run)
    }

    private func update(_ digest: inout SHA256, _ kind: Canonicalization, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let octets = kind == .relaxed ? relaxed.span : header.bytes.span
        digest.update(octets.extracting(range))
    }

    private mutating func prepare(_ position: Int) {
        guard places[position].isEmpty else { return }
        let start = relaxed.count
        let header = header
        HeaderCanonicalizer.append(
            header.fields[position], of: header.bytes.span, .relaxed, to: &relaxed)
        places[position] = start..<relaxed.count
    }

    /// Whether two fields have the same relaxed form.
    mutating func areSame(_ one: Int, _ other: Int) -> Bool {
        prepare(one)
        prepare(other)
        return relaxed[places[one]] == relaxed[places[other]]
    }

    /// Whether a field has, or had, a NUL octet.
    mutating func hasNUL(_ position: Int) -> Bool {
        if nulState[position] == .unknown {
            let header = header
            let whole = header.bytes.span.extracting(header.fields[position].whole)
            let isPresent = truncated.contains(position) || whole.firstIndex(of: 0) != nil
            nulState[position] = isPresent ? .present : .absent
        }
        return nulState[position] == .present
    }
}
