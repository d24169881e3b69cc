internal import Threads

/// What one message's signatures cover, in hashes: noted when they are judged, or recalled in place
/// of a message that is not at hand any more.
///
/// A signature is a statement about two hashes. With them, the signature itself and a key it can be
/// judged again, under another key too, and nothing of the message need be kept
/// (RFC 6376, section 3.7).
public final class MessageWitness: Sendable {
    /// What is known of one signature.
    public struct Statement: Hashable, Sendable {
        /// Which field of the header section the signature is.
        public var position: Int
        /// The hash of the canonical body, as far as the signature covers it.
        public var bodyHash: [UInt8]
        /// The length of the whole canonical body.
        public var bodyLength: UInt64
        /// The hash of the header fields; empty where nobody has come to need it.
        public var headerHash: [UInt8]
        /// The name of a hashed field with a NUL octet.
        public var fieldWithNUL: String?
        /// The field that was changed after signing, where the signature's copies tell.
        public var changedField: String?

        /// Describes a signature.
        public init(
            position: Int, bodyHash: [UInt8], bodyLength: UInt64, headerHash: [UInt8] = [],
            fieldWithNUL: String? = nil, changedField: String? = nil
        ) {
            self.position = position
            self.bodyHash = bodyHash
            self.bodyLength = bodyLength
            self.headerHash = headerHash
            self.fieldWithNUL = fieldWithNUL
            self.changedField = changedField
        }
    }

    private struct State: Sendable {
        var statements: [Statement] = []
        var unknown: Set<Int> = []
    }

    /// Whether it speaks in place of the message.
    let isRecalling: Bool
    private let state: Locked<State>

    /// Notes what is judged.
    public init() {
        isRecalling = false
        state = Locked(State())
    }

    /// Recalls what was noted.
    public init(recalling statements: [Statement]) {
        isRecalling = true
        state = Locked(State(statements: statements))
    }

    /// What was noted, in the order in which it was judged.
    public var statements: [Statement] { state.withLock { $0.statements } }

    /// The fields whose signatures would have to be judged, and of which too little is known.
    public var unknown: [Int] { state.withLock { $0.unknown.sorted() } }

    func statement(of position: Int) -> Statement? {
        state.withLock { state in state.statements.first { $0.position == position } }
    }

    /// Notes a signature, unless it is recalled or noted already.
    func note(_ statement: @autoclosure () -> Statement) {
        guard !isRecalling else { return }
        let statement = statement()
        state.withLock { state in
            guard !state.statements.contains(where: { $0.position == statement.position }) else {
                return
            }
            state.statements.append(statement)
        }
    }

    /// Says that a signature cannot be judged without the message.
    func miss(_ position: Int) { state.withLock { _ = $0.unknown.insert(position) } }

    /// The hash of a body that is not at hand; nil where the body itself is to be hashed.
    func recalledBody(of field: SignatureField) -> BodyHasher.Ticket? {
        guard isRecalling, let statement = statement(of: field.position) else { return nil }
        return BodyHasher.Ticket(
            canonicalization: field.canonicalization.body,
            digest: BodyDigest(limit: field.bodyLength ?? .max, known: statement.bodyHash),
            knownLength: statement.bodyLength)
    }
}
