internal import MailSyntax

/// Text that was added below a signed body, as mailing lists and virus scanners do: the one change of a body that its
/// hash can tell.
public enum BodyAddition {
    /// No more line ends, from the last one back, are tried as the end of the signed body.
    private static let mostLines = 2_000
    /// How many octets are hashed for that at most, in all.
    private static let mostHashed: UInt64 = 256 << 20

    /// The number of the first line that was added, counted from 1.
    ///
    /// - Parameters:
    ///   - body: the body as it was received, with CRLF.
    ///   - signature: the value of the DKIM-Signature field whose `bh=` the body does not have.
    /// - Returns: the line; nil where no beginning of the body is what was signed.
    public static func firstLine(of body: Span<UInt8>, signature: ArraySlice<UInt8>) -> Int? {
        guard let tags = try? TagList(parsing: signature), let hash = tags.base64("bh"),
            tags["l"] == nil
        else { return nil }
        guard let pair = tags["c"].map({ CanonicalizationPair($0) }) ?? CanonicalizationPair()
        else { return nil }
        let ends = candidates(in: body, pair.body)
        var canonicalizer = BodyCanonicalizer(pair.body)
        let digests = ends.map { canonicalizer.addDigest(limit: $0.length) }
        canonicalizer.update(body)
        canonicalizer.finish()
        let found = zip(ends, digests).first { $0.1.hash == hash }
        return found.map { $0.0.line + 1 }
    }

    /// The lines with which the signed body may have ended, each with the length of the canonical body up to it.
    private static func candidates(
        in body: Span<UInt8>, _ kind: Canonicalization
    ) -> ArraySlice<(line: Int, length: UInt64)> {
        var canonicalizer = BodyCanonicalizer(kind)
        var ends: [(line: Int, length: UInt64)] = []
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
            ends.append((line, length))
        }
        // Each hash is one of nearly the whole body.
        let affordable = mostHashed / max(canonicalizer.length, 1)
        return ends.suffix(min(mostLines, Int(clamping: affordable)))
    }
}
