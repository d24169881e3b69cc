/// A message from a file, in the form that it had on the wire.
///
/// Mail programs save messages with the line ends of their system. Signatures cover CRLF (RFC 6376, section 5.3), so where a
/// file's first line ends in a bare LF, all bare LFs are line ends; where it ends in CRLF, the body is taken as it stands.
public struct MessageFile: Sendable {
    /// The header section.
    public let header: HeaderSection
    /// The body, after the empty line.
    public let body: [UInt8]

    /// Takes a file's octets apart.
    public init(
        contents: [UInt8], limits: HeaderSection.Limits = .standard
    ) throws(HeaderSection.LimitExceeded) {
        let split = try HeaderSection.split(message: contents, limits: limits)
        header = split.header
        let rest = contents[split.bodyStart...]
        body = Self.usesBareLF(contents) ? Self.withCRLF(rest) : Array(rest)
    }

    private static func usesBareLF(_ contents: [UInt8]) -> Bool {
        guard let end = contents.firstIndex(of: .lf) else { return false }
        return end == 0 || contents[end - 1] != .cr
    }

    private static func withCRLF(_ lines: ArraySlice<UInt8>) -> [UInt8] {
        var converted: [UInt8] = []
        converted.reserveCapacity(lines.count + lines.count / 32)
        for octet in lines {
            if octet == .lf, converted.last != .cr { converted.append(.cr) }
            converted.append(octet)
        }
        return converted
    }
}
