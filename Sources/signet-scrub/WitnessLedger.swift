import Synchronization

/// The messages whose own Received field was replaced in place, until a second look has found it gone.
///
/// Postfix does not tell whether the replacement worked. Named a second time in the list of milters, the daemon is shown the
/// message again as it then is: this is what the two looks, which are two connections, have in common.
final class WitnessLedger: Sendable {
    private struct Entry {
        let queueID: String
        let value: [UInt8]
        let author: ObjectIdentifier
    }

    private struct State {
        var entries: [Entry] = []
        var hasWarned = false
    }

    private let state = Mutex(State())

    /// How many messages may wait for their second look: no host has as many under way.
    private static let limit = 1024

    /// Notes a replacement.
    ///
    /// - Parameters:
    ///   - value: the value of the field that must be there.
    ///   - queueID: the MTA's name for the message.
    ///   - author: the session that made it.
    /// - Returns: whether nobody takes second looks, said once.
    func promise(_ value: [UInt8], queueID: String, author: ObjectIdentifier) -> Bool {
        state.withLock { state in
            state.entries.removeAll { $0.queueID == queueID }
            state.entries.append(Entry(queueID: queueID, value: value, author: author))
            guard state.entries.count > Self.limit else { return false }
            state.entries.removeFirst(Self.limit / 2)
            defer { state.hasWarned = true }
            return !state.hasWarned
        }
    }

    /// The value that a message must have, if another session has promised it; asked once.
    func promised(queueID: String, witness: ObjectIdentifier) -> [UInt8]? {
        state.withLock { state in
            guard
                let index = state.entries.lastIndex(where: {
                    $0.queueID == queueID && $0.author != witness
                })
            else { return nil }
            return state.entries.remove(at: index).value
        }
    }
}
