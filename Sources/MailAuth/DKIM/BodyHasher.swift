internal import MailCrypto
internal import MailSyntax

/// The hash of the first octets of a canonical body (RFC 6376, section 3.7, step 1).
final class BodyDigest {
    /// How many octets count: the `l=` tag, or all there can be.
    let limit: UInt64
    /// The hash, once the body has ended.
    fileprivate(set) var hash: [UInt8] = []

    fileprivate init(limit: UInt64) {
        self.limit = limit
    }

    /// A hash that is known already.
    init(limit: UInt64, known hash: [UInt8]) {
        self.limit = limit
        self.hash = hash
    }
}

/// The hashes of any number of beginnings of one canonical body.
///
/// Each beginning continues the shorter ones: the octets are hashed once, and where a hash is due
/// it is taken from a copy of the state. So fifty signatures with as many different `l=` tags cost
/// what one costs.
final class BodyDigestSeries {
    /// From the shortest to the longest.
    private var digests: [BodyDigest] = []
    /// How many of them have their hash.
    private var complete = 0
    private var taken: UInt64 = 0
    private var running = SHA256()
    /// The octets themselves, where they are wanted.
    private(set) var octets: [UInt8]?

    /// Adds a hash of the first octets; to be done before the body comes.
    func add(limit: UInt64) -> BodyDigest {
        let place = digests.firstIndex { $0.limit >= limit } ?? digests.count
        if place < digests.count, digests[place].limit == limit { return digests[place] }
        let digest = BodyDigest(limit: limit)
        digests.insert(digest, at: place)
        return digest
    }

    /// Keeps the octets, too; to be done before the body comes, and only of a body whose length is bounded.
    func keepOctets() { octets = [] }

    /// Takes the next octets of the canonical body.
    func update(_ bytes: Span<UInt8>) {
        octets?.append(contentsOf: bytes)
        var rest = bytes
        while complete < digests.count {
            let room = digests[complete].limit &- taken
            guard room <= UInt64(rest.count) else { break }
            take(rest.extracting(first: Int(room)))
            rest = rest.extracting(droppingFirst: Int(room))
            digests[complete].hash = running.hash(with: Span())
            complete += 1
        }
        if complete < digests.count { take(rest) }
    }

    /// Ends the body: all hashes are then complete.
    func finish() {
        guard complete < digests.count else { return }
        let hash = running.finish()
        for digest in digests[complete...] { digest.hash = hash }
        complete = digests.count
    }

    private func take(_ bytes: Span<UInt8>) {
        running.update(bytes)
        taken &+= UInt64(bytes.count)
    }
}

/// Hashes a body once for each distinct canonicalization and length, however many signatures there
/// are.
struct BodyHasher {
    /// A hash that was asked for: what it was asked with, and the digest that will hold it.
    struct Ticket {
        let canonicalization: Canonicalization
        let digest: BodyDigest
        /// The length of the whole canonical body where that is known without it.
        var knownLength: UInt64?
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
        if let known = ticket.knownLength { return known }
        return switch ticket.canonicalization {
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
