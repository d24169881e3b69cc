import Threads

/// The messages whose own Received field was replaced in place, until a second look has found it gone.
///
/// Postfix does not tell whether the replacement worked. Named a second time in the list of milters, the daemon is shown the
/// message again as it then is: this is what the two looks, which are two connections, have in common.
///
/// A session waits for one look at most: by the time it has another message, or ends, Postfix is done with the one before.
final class WitnessLedger: Sendable {
    private struct Entry {
        let queueID: String
        let value: [UInt8]
        let author: ObjectIdentifier
    }

    private struct State {
        var entries: [Entry] = []
        var hasMissed = false

        /// Drops the message of a session; true if it is the first ever at which nobody has looked.
        mutating func dropMessage(of author: ObjectIdentifier) -> Bool {
            guard let index = entries.firstIndex(where: { $0.author == author }) else {
                return false
            }
            entries.remove(at: index)
            defer { hasMissed = true }
            return !hasMissed
        }
    }

    private let state = Locked(State())

    /// Notes a replacement.
    ///
    /// - Parameters:
    ///   - value: the value of the field that must be there.
    ///   - queueID: the MTA's name for the message.
    ///   - author: the session that made it.
    /// - Returns: whether nobody has looked at its message before, said once.
    func promise(_ value: [UInt8], queueID: String, author: ObjectIdentifier) -> Bool {
        state.withLock { state in
            let isFirstMiss = state.dropMessage(of: author)
            state.entries.append(Entry(queueID: queueID, value: value, author: author))
            return isFirstMiss
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

    /// Forgets a session that ends.
    ///
    /// - Returns: whether nobody has looked at its last message, said once.
    func forget(_ author: ObjectIdentifier) -> Bool {
        state.withLock { $0.dropMessage(of: author) }
    }
}
