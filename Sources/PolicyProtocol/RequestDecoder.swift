/// Cuts what a client sends into requests (SMTPD_POLICY_README: "name=value" lines, ended by an
/// empty line).
///
/// Trust: the client is Postfix, or anyone who can reach the socket. Octets kept are bounded, each
/// is looked at once, and whatever comes, each request has its one outcome.
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

    private var buffer: [UInt8] = []
    /// Where the request begins that is being read.
    private var start = 0
    /// How far the octets have been looked at.
    private var scanned = 0
    /// Whether nothing but a carriage return has come in the present line.
    private var lineIsEmpty = true
    /// Whether no request has ended yet.
    private var isFirst = true
    /// Octets of the present request that were dropped because it is too long.
    private var dropped = 0

    /// Whether a request has begun and not ended.
    package var isInsideRequest: Bool { start < buffer.count || dropped > 0 }

    /// The octets that are kept.
    package var bufferedOctets: Int { buffer.count }

    /// A decoder at the beginning of a connection.
    package init() {}

    /// Takes what a client sent.
    package mutating func append(_ octets: Span<UInt8>) {
        buffer.reserveCapacity(buffer.count + octets.count)
        for index in octets.indices { buffer.append(octets[index]) }
    }

    /// The next request that is complete; nil when more octets are needed.
    package mutating func next() -> Outcome? {
        if isAtMilterNegotiation {
            drop()
            return .fault(.milterNegotiation)
        }
        while scanned < buffer.count {
            let octet = buffer[scanned]
            scanned += 1
            if octet != UInt8(ascii: "\n") {
                lineIsEmpty = lineIsEmpty && octet == UInt8(ascii: "\r")
            } else if lineIsEmpty {
                return finish()
            } else {
                lineIsEmpty = true
            }
        }
        if buffer.count - start > Self.longestRequest || dropped > 0 {
            dropped += buffer.count - start
            drop()
            if dropped > Self.longestSkip {
                dropped = 0
                return .fault(.endless)
            }
        } else if start > 0 {
            buffer.removeFirst(start)
            scanned -= start
            start = 0
        }
        return nil
    }

    /// Whether a milter's client speaks.
    ///
    /// Its first command is SMFIC_OPTNEG, a frame of 13 octets after the four of the length.
    private var isAtMilterNegotiation: Bool {
        isFirst && dropped == 0 && buffer.count >= 5
            && buffer[..<5].elementsEqual([0, 0, 0, 13, UInt8(ascii: "O")])
    }

    /// Ends the present request with its empty line.
    private mutating func finish() -> Outcome {
        let range = start..<scanned
        let isTooLong = dropped > 0 || range.count > Self.longestRequest
        start = scanned
        isFirst = false
        dropped = 0
        lineIsEmpty = true
        let outcome: Outcome =
            isTooLong ? .fault(.tooLong) : Self.parse(buffer.span.extracting(range))
        if start == buffer.count { drop() }
        return outcome
    }

    /// Empties the buffer, and gives its memory back: most connections are idle most of the time.
    private mutating func drop() {
        buffer = []
        start = 0
        scanned = 0
    }

    private static func parse(_ octets: Span<UInt8>) -> Outcome {
        var request = PolicyRequest()
        var isEmpty = true
        var start = 0
        while start < octets.count {
            var equals: Int?
            var end = start
            while end < octets.count, octets[end] != UInt8(ascii: "\n") {
                if octets[end] == UInt8(ascii: "="), equals == nil { equals = end }
                if octets[end] == 0 { return .fault(.nul) }
                end += 1
            }
            let next = end + 1
            if end > start, octets[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            if end > start {
                isEmpty = false
                guard let equals, equals > start else { return .fault(.notAnAttribute) }
                if let known = attribute(named: octets.extracting(start..<equals)) {
                    let value = (equals + 1)..<max(end, equals + 1)
                    guard value.count <= longestValue else { return .fault(.longValue(known)) }
                    // Of an attribute that is sent twice, the last value holds, as in the peer; the
                    // protocol leaves the choice to us.
                    let span = octets.extracting(value)
                    request[known] = [UInt8](capacity: value.count) { output in
                        for index in span.indices { output.append(span[index]) }
                    }
                }
            }
            start = next
        }
        if isEmpty { return .fault(.empty) }
        let kind = request[.request]
        guard kind.isEmpty || kind.elementsEqual("smtpd_access_policy".utf8) else {
            return .fault(.otherRequest)
        }
        return .request(request)
    }

    private static func attribute(named name: Span<UInt8>) -> PolicyRequest.Attribute? {
        for (known, attribute) in PolicyRequest.Attribute.names where known.count == name.count {
            var index = 0
            while index < name.count, name[index] == known[index] { index += 1 }
            if index == name.count { return attribute }
        }
        return nil
    }
}

/// Why a request could not be read.
package enum RequestFault: Hashable, Sendable, CustomStringConvertible {
    /// There is no attribute in it.
    case empty
    /// A line is no attribute.
    case notAnAttribute
    /// There is a NUL octet in it.
    case nul
    /// An attribute's value is too long.
    case longValue(PolicyRequest.Attribute)
    /// The whole request is too long.
    case tooLong
    /// The request does not end.
    case endless
    /// The rest of the request does not come.
    case late
    /// It is of a kind that is not known here.
    case otherRequest
    /// It is the first command of the milter protocol.
    case milterNegotiation

    /// The answer to the first command of the milter protocol: a failure for now (SMFIR_TEMPFAIL).
    package static let milterAnswer: [UInt8] = [0, 0, 0, 1, UInt8(ascii: "t")]

    /// Whether nothing that follows can be made sense of.
    package var endsConnection: Bool {
        switch self {
        case .endless, .late, .milterNegotiation: true
        case .empty, .notAnAttribute, .nul, .longValue, .tooLong, .otherRequest: false
        }
    }

    /// The fault in words.
    package var description: String {
        switch self {
        case .empty: "it is empty"
        case .notAnAttribute: "a line is not name=value"
        case .nul: "there is a NUL octet in it"
        case .longValue(let attribute):
            "\(attribute.rawValue) is longer than \(RequestDecoder.longestValue) octets"
        case .tooLong: "it is longer than \(RequestDecoder.longestRequest) octets"
        case .endless: "it does not end"
        case .late: "its empty line does not come"
        case .otherRequest: "it is not of the kind smtpd_access_policy"
        case .milterNegotiation:
            "a client speaks the milter protocol, and this is a policy service; write it in "
                + "check_policy_service, not smtpd_milters"
        }
    }
}
