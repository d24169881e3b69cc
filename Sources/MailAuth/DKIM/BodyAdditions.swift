internal import MailSyntax

/// Finds text that was added below a signed body, as mailing lists and virus scanners do: the one change of a body that its
/// hash can tell.
///
/// The body's beginnings are hashed once for each canonicalization, however many signatures are asked about.
public struct BodyAdditions: Sendable {
    /// No more line ends, from the last one back, are tried as the end of the signed body.
    private static let mostLines = 2_000
    /// How many octets are hashed for that at most, in all.
    private static let mostHashed: UInt64 = 256 << 20

    /// A place where the signed body may have ended.
    private struct SignedEnd {
        /// The last line, counted from 1.
        let line: Int
        /// How many octets the canonical body has up to the end of that line.
        let length: UInt64
    }

    private let body: [UInt8]
    /// The hashes of the beginnings that were looked at, each with the first line behind it.
    private var known: [Canonicalization: [[UInt8]: Int]] = [:]

    /// Prepares to look at a body as it was received, with CRLF.
    public init(to body: [UInt8]) {
        self.body = body
    }

    /// The number of the first line that was added, counted from 1.
    ///
    /// - Parameter signature: the value of the DKIM-Signature field whose `bh=` the body does not have.
    /// - Returns: the line; nil where no beginning of the body is what was signed.
    public mutating func firstLine(signature: ArraySlice<UInt8>) -> Int? {
        guard let tags = try? TagList(parsing: signature), let hash = tags.base64("bh"),
            tags["l"] == nil
        else { return nil }
        guard let pair = tags["c"].map({ CanonicalizationPair($0) }) ?? CanonicalizationPair()
        else { return nil }
        if known[pair.body] == nil { known[pair.body] = Self.beginnings(of: body, pair.body) }
        return known[pair.body]?[hash]
    }

    /// The hashes of the beginnings with which the signed body may have ended.
    private static func beginnings(
        of body: [UInt8], _ kind: Canonicalization
    ) -> [[UInt8]: Int] {
        let ends = candidates(in: body.span, kind)
        var canonicalizer = BodyCanonicalizer(kind)
        let digests = ends.map { canonicalizer.addDigest(limit: $0.length) }
        canonicalizer.update(body.span)
        canonicalizer.finish()
        var lines: [[UInt8]: Int] = [:]
        if !ends.isEmpty { lines[emptyBody(kind)] = 1 }
        // Of equal hashes the first beginning counts.
        for (end, digest) in zip(ends, digests) where lines[digest.hash] == nil {
            lines[digest.hash] = end.line + 1
        }
        return lines
    }

    /// The hash of a body without text: all of this one may have been added.
    private static func emptyBody(_ kind: Canonicalization) -> [UInt8] {
        var canonicalizer = BodyCanonicalizer(kind)
        let digest = canonicalizer.addDigest(limit: nil)
        canonicalizer.finish()
        return digest.hash
    }

    /// The lines with which the signed body may have ended.
    private static func candidates(
        in body: Span<UInt8>, _ kind: Canonicalization
    ) -> [SignedEnd] {
        var canonicalizer = BodyCanonicalizer(kind)
        var ends: [SignedEnd] = []
        var line = 0
        var start = 0
        for position in 0..<body.count where body[position] == .lf {
            canonicalizer.update(body.extracting(start..<position + 1))
            start = position + 1
            line += 1
            // The line's own end counts once something follows it, and so does in what was signed.
            let length = canonicalizer.length + 2
            guard length > (ends.last?.length ?? 2) else { continue }
            if ends.count == 2 * mostLines { ends.removeFirst(mostLines) }
            ends.append(SignedEnd(line: line, length: length))
        }
        // Each hash is one of nearly the whole body.
        let affordable = mostHashed / max(canonicalizer.length, 1)
        return Array(ends.suffix(min(mostLines, Int(clamping: affordable))))
    }
}
