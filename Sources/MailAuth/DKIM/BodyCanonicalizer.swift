internal import MailSyntax

/// Prepares a body for hashing as it arrives, in whatever chunks (RFC 6376, sections 3.4.3 and
/// 3.4.4).
///
/// What stays as it is goes to the hashes in runs as long as the chunk allows; only line ends at
/// the end of a chunk, and white space that relaxed canonicalization changes, are looked at one by
/// one. Empty lines that may turn out to be the last are counted, not kept. A CR or LF alone is an
/// octet like others.
///
/// Trust: hostile octets; constant memory, linear time.
struct BodyCanonicalizer {
    private let kind: Canonicalization
    /// Line ends that count only if something follows them.
    private var pendingLineEnds = 0
    /// Whether the last octet was a CR, which the next may make a line end.
    private var pendingCR = false
    /// Whether white space came before what follows; before `pendingCR`, if that is set as well.
    private var pendingSpace = false
    private var hasText = false
    /// Short runs, put together before they are hashed.
    private var gathered: [UInt8] = []
    /// The hashes that are fed.
    private let digests = BodyDigestSeries()
    /// The number of octets of the canonical body so far.
    private(set) var length: UInt64 = 0

    /// Runs from this length on are hashed where they are.
    private static let longRun = 512
    private static let gatheredLimit = 4096

    init(_ kind: Canonicalization) {
        self.kind = kind
        if kind == .relaxed { gathered.reserveCapacity(Self.gatheredLimit + Self.longRun) }
    }

    /// The canonical form of a body that has come as a whole.
    static func octets(of body: Span<UInt8>, _ kind: Canonicalization) -> [UInt8] {
        var canonicalizer = BodyCanonicalizer(kind)
        canonicalizer.digests.keepOctets()
        canonicalizer.update(body)
        canonicalizer.finish()
        return canonicalizer.digests.octets ?? []
    }

    /// Adds a hash of the first octets of the canonical body; to be done before the body comes.
    mutating func addDigest(limit: UInt64?) -> BodyDigest {
        digests.add(limit: limit ?? .max)
    }

    /// Takes the next chunk of the body.
    mutating func update(_ chunk: Span<UInt8>) {
        guard kind == .relaxed else { return take(chunk) }
        var position = 0
        while position < chunk.count {
            if chunk[position].isWSP {
                // A CR before white space is no line end.
                if pendingCR { settleCR() }
                pendingSpace = true
                position &+= 1
            } else {
                let end = nextReducible(in: chunk, from: position)
                take(chunk.extracting(position..<end))
                position = end
            }
        }
    }

    /// Ends the body: the digests are then complete.
    mutating func finish() {
        if pendingCR { settleCR() }
        // "If there is no body or no trailing CRLF on the message body, a CRLF is added": of a
        // relaxed body without text nothing at all is left.
        if hasText || kind == .simple {
            pendingLineEnds = 1
            emitLineEnds()
        }
        flush()
        digests.finish()
    }

    /// Takes a run that has no white space to be changed in it.
    private mutating func take(_ run: Span<UInt8>) {
        var start = 0
        var end = run.count
        guard start < end else { return }
        if pendingCR {
            if run[0] == .lf {
                pendingCR = false
                pendingSpace = false
                pendingLineEnds &+= 1
                start = 1
            } else {
                settleCR()
            }
        }
        let endsInCR = end > start && run[end &- 1] == .cr
        if endsInCR { end &-= 1 }
        var lineEnds = 0
        while end &- start >= 2, run[end &- 1] == .lf, run[end &- 2] == .cr {
            end &-= 2
            lineEnds &+= 1
        }
        if end > start {
            emitLineEnds()
            if pendingSpace, !(end &- start >= 2 && run[start] == .cr && run[start &+ 1] == .lf) {
                emitOctet(.space)
            }
            hasText = true
            pendingSpace = false
            pendingLineEnds = lineEnds
            emit(run.extracting(start..<end))
        } else if lineEnds > 0 {
            pendingSpace = false
            pendingLineEnds &+= lineEnds
        }
        pendingCR = endsInCR
    }

    /// Makes text of a CR that no LF follows.
    private mutating func settleCR() {
        pendingCR = false
        emitLineEnds()
        if pendingSpace { emitOctet(.space) }
        pendingSpace = false
        hasText = true
        emitOctet(.cr)
    }

    private mutating func emitLineEnds() {
        while pendingLineEnds > 0 {
            let count = min(pendingLineEnds, lineEndBlock.count / 2)
            pendingLineEnds &-= count
            emit(lineEndBlock.span.extracting(0..<count &* 2))
        }
    }

    private mutating func emitOctet(_ octet: UInt8) {
        length &+= 1
        gathered.append(octet)
        if gathered.count >= Self.gatheredLimit { flush() }
    }

    private mutating func emit(_ run: Span<UInt8>) {
        length &+= UInt64(run.count)
        if run.count >= Self.longRun {
            flush()
            digests.update(run)
        } else {
            gathered.append(contentsOf: run)
            if gathered.count >= Self.gatheredLimit { flush() }
        }
    }

    private mutating func flush() {
        guard !gathered.isEmpty else { return }
        digests.update(gathered.span)
        gathered.removeAll(keepingCapacity: true)
    }
}

/// Line ends to emit many at a time.
private let lineEndBlock = [UInt8]((0..<512).map { $0 & 1 == 0 ? .cr : .lf })

/// Where the next white space is that relaxed canonicalization may change: a tab, a space before
/// white space or CR, or a space at the end of the chunk; the chunk's end where there is none.
private func nextReducible(in chunk: Span<UInt8>, from start: Int) -> Int {
    let end = chunk.count
    let octets = unsafe chunk.bytes
    var position = start
    while position < end {
        // Sixteen positions at a time: at each a tab, or a space with no visible octet after it.
        while end &- position > 16 {
            // In bounds by the condition above.
            let here = unsafe octets.unsafeLoadUnaligned(
                fromByteOffset: position, as: SIMD16<UInt8>.self)
            let next = unsafe octets.unsafeLoadUnaligned(
                fromByteOffset: position &+ 1, as: SIMD16<UInt8>.self)
            let space: SIMD16<UInt8> = .init(repeating: .space)
            let found = (here .== .init(repeating: .tab)) .| ((here .== space) .& (next .<= space))
            if any(found) { break }
            position &+= 16
        }
        let blockEnd = min(end, position &+ 16)
        while position < blockEnd {
            let octet = chunk[position]
            if octet == .tab { return position }
            if octet == .space {
                guard position &+ 1 < end else { return position }
                let next = chunk[position &+ 1]
                if next.isWSP || next == .cr { return position }
            }
            position &+= 1
        }
    }
    return end
}
