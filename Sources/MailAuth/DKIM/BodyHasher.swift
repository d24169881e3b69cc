internal import MailCrypto
internal import MailSyntax

/// The hash of the first octets of a canonical body (RFC 6376, section 3.7, step 1).
final class BodyDigest {
    /// How many octets count: the `l=` tag, or all there can be.
    let limit: UInt64
    private var taken: UInt64 = 0
    private var digest = SHA256()
    private var finished: [UInt8]?

    init(limit: UInt64) {
        self.limit = limit
    }

    func update(_ bytes: Span<UInt8>) {
        let room = limit &- taken
        guard room > 0 else { return }
        let count = Int(min(room, UInt64(bytes.count)))
        taken &+= UInt64(count)
        digest.update(bytes.extracting(0..<count))
    }

    /// The hash, once the body has ended.
    var hash: [UInt8] {
        if let finished { return finished }
        let hash = digest.finish()
        finished = hash
        return hash
    }
}

/// Hashes a body once for each distinct canonicalization and length, however many signatures there
/// are.
struct BodyHasher {
    /// A hash that was asked for: what it was asked with, and the digest that will hold it.
    struct Ticket {
        let canonicalization: Canonicalization
        let digest: BodyDigest
    }

    private var simple: BodyCanonicalizer?
    private var relaxed: BodyCanonicalizer?

    /// Asks for a hash, before the body comes.
    mutating func request(_ canonicalization: Canonicalization, limit: UInt64? = nil) -> Ticket {
        let digest =
            switch canonicalization {
            case .simple: Self.request(&simple, .simple, limit)
            case .relaxed: Self.request(&relaxed, .relaxed, limit)
            }
        return Ticket(canonicalization: canonicalization, digest: digest)
    }

    /// Whether anybody wants the body.
    var isIdle: Bool { simple == nil && relaxed == nil }

    /// Takes the next chunk of the body.
    mutating func update(_ chunk: Span<UInt8>) {
        simple?.update(chunk)
        relaxed?.update(chunk)
    }

    /// Ends the body.
    mutating func finish() {
        simple?.finish()
        relaxed?.finish()
    }

    /// The length of the whole canonical body, once it has ended.
    func length(_ ticket: Ticket) -> UInt64 {
        switch ticket.canonicalization {
        case .simple: simple?.length ?? 0
        case .relaxed: relaxed?.length ?? 0
        }
    }

    private static func request(
        _ canonicalizer: inout BodyCanonicalizer?, _ kind: Canonicalization, _ limit: UInt64?
    ) -> BodyDigest {
        var present = canonicalizer ?? BodyCanonicalizer(kind)
        let digest = present.addDigest(limit: limit)
        canonicalizer = present
        return digest
    }
}
