internal import MailSyntax

/// Cuts the octets that the MTA sends into frames, wherever its writes begin and end.
///
/// A frame is a length of four octets, most significant first, a command letter, and data; the
/// length counts the letter and the data.
///
/// Trust: any octets. What is kept is never more than one frame that is not complete, and what
/// came with it in one read.
struct FrameDecoder: ~Copyable {
    /// The longest frame: a field of Postfix has at most 60 KB, a piece of a body 64 KB.
    static let maximumLength = 1 << 20

    private static let lengthOctets = 4
    /// "requ", with which every request of Postfix's policy protocol begins
    /// (SMTPD_POLICY_README), read as a length.
    private static let policyRequestStart: UInt32 = 0x7265_7175

    /// What has come of a frame that is not complete.
    private var kept: [UInt8] = []

    /// The octets that are kept.
    var bufferedOctets: Int { kept.count }

    /// Calls `body` with the command letter and the data of each frame that is complete.
    ///
    /// - Parameters:
    ///   - input: What has arrived.
    ///   - body: Takes a frame; what it throws ends the reading.
    /// - Throws: The fault of a frame, or what `body` throws.
    mutating func decode(
        _ input: Span<UInt8>, _ body: (UInt8, Span<UInt8>) throws(MilterFault) -> Void
    ) throws(MilterFault) {
        if kept.isEmpty {
            let end = try Self.decode(input, body)
            kept.append(contentsOf: input.extracting(end...))
            return
        }
        var octets: [UInt8] = []
        swap(&octets, &kept)
        octets.append(contentsOf: input)
        let end = try Self.decode(octets.span, body)
        // An idle connection keeps no room.
        guard end < octets.count else { return }
        octets.removeFirst(end)
        kept = octets
    }

    /// Reads the frames that are complete, and returns where they end.
    private static func decode(
        _ octets: Span<UInt8>, _ body: (UInt8, Span<UInt8>) throws(MilterFault) -> Void
    ) throws(MilterFault) -> Int {
        var start = 0
        while octets.count - start >= lengthOctets {
            let length = octets.bigEndian32(at: start)
            guard length > 0 else { throw MilterFault("a frame without a command") }
            guard length != policyRequestStart else { throw .policyRequest }
            guard length <= maximumLength else {
                throw MilterFault("a frame of \(length) octets; the limit is \(maximumLength)")
            }
            let first = start + lengthOctets
            guard octets.count - first >= Int(length) else { break }
            let end = first + Int(length)
            try body(octets[first], octets.extracting(first + 1..<end))
            start = end
        }
        return start
    }
}

/// A breach of the protocol by the MTA, or by whoever may connect; it ends the connection.
struct MilterFault: Error, Equatable, CustomStringConvertible {
    /// What was wrong.
    let description: String

    init(_ description: String) { self.description = description }

    /// A request of the policy protocol in place of a frame.
    static let policyRequest = MilterFault("a request of the policy protocol")
}

extension Span<UInt8> {
    /// The number of four octets, most significant first, at a place that is in bounds.
    func bigEndian32(at index: Int) -> UInt32 {
        (index..<index + 4).reduce(0) { $0 << 8 | UInt32(self[$1]) }
    }
}
