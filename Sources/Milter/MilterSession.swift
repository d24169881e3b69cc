/// A filter: what it needs, and a session for each connection.
public protocol MilterFilter: Sendable {
    /// The sessions that this filter makes.
    associatedtype Session: MilterSession

    /// What the filter needs of the MTA.
    var needs: MilterNeeds { get }

    /// Makes the session of a new connection.
    ///
    /// - Parameter negotiated: What was agreed with the MTA.
    /// - Returns: The session; it is released when the connection ends.
    func makeSession(protocol negotiated: NegotiatedProtocol) -> Session
}

/// One connection of the MTA: the SMTP session of one client, with any number of messages.
///
/// Events of one connection come one at a time, yet on changing threads. Bytes and macros handed to
/// a method end with the call. Two HELOs may come, and `abort` more than once. A method may wait for
/// the DNS, with a deadline of its own.
///
/// Trust: names, addresses and values are what the SMTP client sent, NUL octets included.
public protocol MilterSession: AnyObject {
    /// The SMTP client has connected.
    func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply
    /// HELO or EHLO.
    func helo(_ name: Span<UInt8>, _ macros: borrowing MilterMacros) -> MilterReply
    /// MAIL FROM, with its ESMTP parameters.
    func mail(
        _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply
    /// RCPT TO, with its ESMTP parameters.
    func recipient(
        _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply
    /// DATA.
    func data(_ macros: borrowing MilterMacros) -> MilterReply
    /// A header field; the value carries its leading space, and folds with a bare LF.
    func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply
    /// The header section is complete.
    func endOfHeader(_ macros: borrowing MilterMacros) -> MilterReply
    /// A piece of the body, lines ending in CRLF, cut anywhere.
    func body(_ chunk: Span<UInt8>) -> MilterReply
    /// The message is complete: the edits and the verdict.
    func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict
    /// The message under way has ended without `endOfMessage`: the client or the MTA gave it up, or
    /// the session itself ended it by its answer. The macros are those that have come so far.
    func abort(_ macros: borrowing MilterMacros)
    /// The connection has ended; nothing comes after it.
    func close()
}

extension MilterSession {
    /// Goes on.
    public func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply {
        .continue
    }
    /// Goes on.
    public func helo(_ name: Span<UInt8>, _ macros: borrowing MilterMacros) -> MilterReply {
        .continue
    }
    /// Goes on.
    public func mail(
        _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        .continue
    }
    /// Goes on.
    public func recipient(
        _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        .continue
    }
    /// Goes on.
    public func data(_ macros: borrowing MilterMacros) -> MilterReply { .continue }
    /// Goes on.
    public func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply { .continue }
    /// Goes on.
    public func endOfHeader(_ macros: borrowing MilterMacros) -> MilterReply { .continue }
    /// Goes on.
    public func body(_ chunk: Span<UInt8>) -> MilterReply { .continue }
    /// Lets the message pass as it is.
    public func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict { .continue }
    /// Does nothing.
    public func abort(_ macros: borrowing MilterMacros) {}
    /// Does nothing.
    public func close() {}
}
