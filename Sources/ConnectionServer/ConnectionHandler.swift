/// One connection's side of a protocol: octets in, octets out, no socket.
///
/// The server calls a handler from one thread at a time, though not always from the same one.
package protocol ConnectionHandler: AnyObject {
    /// Takes what has arrived, and answers it.
    ///
    /// It may block, with a deadline of its own: other connections are served meanwhile.
    ///
    /// - Parameters:
    ///   - input: the octets that have arrived, never none; valid for this call only.
    ///   - output: empty; what is appended leaves in one write.
    /// - Returns: whether the connection goes on.
    func receive(_ input: Span<UInt8>, output: inout [UInt8]) -> ConnectionStep

    /// What the peer is expected to do next; decides which time limit holds, and what a drain does.
    var state: ConnectionState { get }

    /// The octets that the handler keeps for later: input that is not complete, say.
    ///
    /// Read after each `receive`, for the limit of all connections together.
    var bufferedOctets: Int { get }

    /// The peer has exceeded its time limit while it was busy; the connection ends after this.
    ///
    /// It must not block. What is appended to `output` is sent if the peer takes it at once.
    func timeLimitPassed(output: inout [UInt8])

    /// The connection is over, for whatever reason; called exactly once, after every other call.
    func end()
}

extension ConnectionHandler {
    /// Nothing is kept.
    package var bufferedOctets: Int { 0 }

    /// Nothing is sent.
    package func timeLimitPassed(output: inout [UInt8]) {}
}

/// What follows after octets have been received.
package enum ConnectionStep: Sendable {
    /// The connection goes on; the time limit starts anew.
    case goOn
    /// The connection goes on, but nothing has been completed: the time limit is not extended,
    /// so that a peer that sends an octet now and then does not stay for ever.
    case incomplete
    /// The connection is closed after the output has been written.
    case close
}

/// What a connection is doing between two calls of its handler.
package enum ConnectionState: Hashable, Sendable {
    /// Nothing has been agreed yet; a connection begins so.
    case new
    /// Nothing is under way: a drain closes it.
    case idle
    /// A request or a message is under way: a drain waits for it.
    case busy
}
