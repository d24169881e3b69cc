/// The hashes of one message's body, for whoever verifies it several times with other header fields.
///
/// Each canonicalization and length is hashed once, by the first verifier that asks for it.
public final class BodyMemory {
    private struct Kind: Hashable {
        let canonicalization: Canonicalization
        let limit: UInt64
    }

    private var known: [Kind: (hash: [UInt8], length: UInt64)] = [:]

    /// Remembers nothing yet.
    public init() {}

    /// The hash that a signature asks for; nil where it is not known.
    func ticket(for field: SignatureField) -> BodyHasher.Ticket? {
        let limit = field.bodyLength ?? .max
        let kind = Kind(canonicalization: field.canonicalization.body, limit: limit)
        return known[kind].map { found in
            BodyHasher.Ticket(
                canonicalization: kind.canonicalization,
                digest: BodyDigest(limit: limit, known: found.hash), knownLength: found.length)
        }
    }

    /// Remembers a hash, and the length of the whole canonical body.
    func keep(_ ticket: BodyHasher.Ticket, length: UInt64) {
        let kind = Kind(canonicalization: ticket.canonicalization, limit: ticket.digest.limit)
        known[kind] = (ticket.digest.hash, length)
    }
}
