internal import MailSyntax

/// Cuts what a client sends into requests (SMTPD_POLICY_README: "name=value" lines, ended by an
/// empty line).
///
/// Trust: the client is Postfix, or anyone who can reach the socket. What is kept is bounded, each
/// octet is looked at once, and whatever comes, each request has its one outcome, wherever the
/// client's writes begin and end.
package struct RequestDecoder {
    /// What became of one request.
    package enum Outcome: Hashable, Sendable {
        case request(PolicyRequest)
        case fault(RequestFault)
    }

    /// The longest request that is read; Postfix's own are below a tenth of it.
    package static let longestRequest = 65_536
    /// The longest value of an attribute that matters here; Postfix takes SMTP lines of 2,048
    /// octets.
    package static let longestValue = 4_096
    /// How much of a request that is too long is skipped in search of its end.
    package static let longestSkip = 64 << 20

    /// The first command of a milter's client, SMFIC_OPTNEG: a frame of 13 octets after the four of
    /// the length.
    private static let milterNegotiation: [UInt8] = [0, 0, 0, 13, UInt8(ascii: "O")]

    /// The beginning of a line that is not complete.
    private var line: [UInt8] = []
    /// Whether something of that line was dropped that does not belong to its end.
    private var lineIsCut = false
    /// The request that is under way, as far as it has been read.
    private var request = PolicyRequest()
    /// The first fault in it.
    private var fault: RequestFault?
    /// Its octets so far.
    private var length = 0
    /// Whether it has a line.
    private var hasLine = false
    /// Whether no request has ended yet.
    private var isFirst = true
    /// Whether a fault was met after which nothing can be made sense of.
    private var hasEnded = false

    /// Whether a request has begun and not ended.
    package var isInsideRequest: Bool { length > 0 }

    /// The octets that are kept.
    package var bufferedOctets: Int { line.count + request.octetCount }

    /// A decoder at the beginning of a connection.
    package init() {}

    /// Takes what a client sent, and calls `body` with the outcome of each request that ends in it.
    ///
    /// After a fault that ends the connection nothing more comes.
    package mutating func decode(_ input: Span<UInt8>, _ body: (Outcome) -> Void) {
        var start = 0
        // One look for all lines: there is none, as a rule.
        let hasNUL = input.firstIndex(of: 0) != nil
        while start < input.count, !hasEnded {
            guard let end = input.firstIndex(of: .lf, from: start) else {
                keep(input.extracting(start...))
                if let fault = fatalFault(line.span) { body(end(with: fault)) }
                return
            }
            length += end + 1 - start
            let rest = input.extracting(start..<end)
            let outcome: Outcome?
            if line.isEmpty, !lineIsCut {
                outcome = take(rest, mayHaveNUL: hasNUL)
            } else {
                keepText(rest)
                var whole: [UInt8] = []
                swap(&whole, &line)
                outcome = take(whole.span, mayHaveNUL: true)
                lineIsCut = false
            }
            if let outcome { body(outcome) }
            start = end + 1
        }
    }

    /// Keeps the beginning of a line.
    private mutating func keep(_ octets: Span<UInt8>) {
        length += octets.count
        keepText(octets)
    }

    private mutating func keepText(_ octets: Span<UInt8>) {
        if length <= Self.longestRequest {
            line.append(contentsOf: octets)
        } else {
            // Of what is too long it only matters where it ends: at a line without text.
            lineIsCut = lineIsCut || !Self.isEmpty(line.span) || !Self.isEmpty(octets)
            line = []
        }
    }

    /// Takes a complete line; gives the outcome of the request that it ends, if it does.
    private mutating func take(_ line: Span<UInt8>, mayHaveNUL: Bool) -> Outcome? {
        if let fault = fatalFault(line) { return end(with: fault) }
        guard lineIsCut || !Self.isEmpty(line) else { return finish() }
        hasLine = true
        guard length <= Self.longestRequest, fault == nil else { return nil }
        fault = mayHaveNUL && line.firstIndex(of: 0) != nil ? .nul : read(line)
        return nil
    }

    /// The fault after which nothing can be made sense of, if it is there by now.
    private func fatalFault(_ line: Span<UInt8>) -> RequestFault? {
        if length > Self.longestSkip { return .endless }
        let isBeginning = isFirst && !hasLine && !lineIsCut
        return isBeginning && line.begins(with: Self.milterNegotiation) ? .milterNegotiation : nil
    }

    /// Takes nothing further.
    private mutating func end(with fault: RequestFault) -> Outcome {
        self = RequestDecoder()
        hasEnded = true
        return .fault(fault)
    }

    /// Ends the present request, and begins the next.
    private mutating func finish() -> Outcome {
        let outcome: Outcome =
            if length > Self.longestRequest {
                .fault(.tooLong)
            } else if !hasLine {
                .fault(.empty)
            } else if let fault {
                .fault(fault)
            } else if !request.isForPolicy {
                .fault(.otherRequest)
            } else {
                .request(request)
            }
        self = RequestDecoder()
        isFirst = false
        return outcome
    }

    /// Reads an attribute; gives what is wrong with it.
    private mutating func read(_ line: Span<UInt8>) -> RequestFault? {
        let end = line[line.count - 1] == .cr ? line.count - 1 : line.count
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
            return .notAnAttribute
        }
        guard let known = PolicyRequest.Attribute(octets: line.extracting(..<equals)) else {
            return nil
        }
        let value = line.extracting((equals + 1)..<max(end, equals + 1))
        guard value.count <= Self.longestValue else { return .longValue(known) }
        // Of an attribute that is sent twice, the last value holds, as in the peer; the protocol
        // leaves the choice to us.
        request[known] = value.copied()
        return nil
    }

    /// Whether a line has no text: nothing, or carriage returns.
    private static func isEmpty(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] != .cr { return false }
        return true
    }
}

extension Span<UInt8> {
    fileprivate func begins(with octets: [UInt8]) -> Bool {
        guard count >= octets.count else { return false }
        for index in octets.indices where self[index] != octets[index] { return false }
        return true
    }
}
