/// What octets are, by how they begin; names and media types are often wrong.
enum ContentKind {
    /// A gzip member (RFC 1952, section 2.3.1).
    case gzip
    /// A zip archive.
    case zip
    /// XML, or what somebody took for it.
    case xml
    /// JSON.
    case json
    /// Nothing that a report may be.
    case other
    /// No octets.
    case empty

    /// Looks at the beginning.
    init(_ octets: some Collection<UInt8>) {
        let start = octets.prefix(512)
        if start.starts(with: [0x1F, 0x8B]) {
            self = .gzip
            return
        }
        if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 5, 6])
            || start.starts(with: [0x50, 0x4B, 0x30, 0x30, 0x50, 0x4B])
        {
            self = .zip
            return
        }
        if start.starts(with: [0xFE, 0xFF, 0x00, 0x3C]) || start.starts(with: [0xFF, 0xFE, 0x3C])
            || start.starts(with: [0x3C, 0x00, 0x3F, 0x00])
        {
            self = .xml
            return
        }
        var rest = start[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        rest = rest.drop { $0 == 0x20 || 0x09...0x0D ~= $0 }
        switch rest.first {
        case nil: self = octets.isEmpty ? .empty : .other
        case 0x3C: self = .xml
        case 0x7B: self = .json
        default: self = .other
        }
    }

    /// Whether the octets hold the word that every aggregate report has, near their beginning.
    static func mentionsFeedback(_ octets: some Collection<UInt8>) -> Bool {
        String(decoding: octets.prefix(4096), as: UTF8.self).contains("<feedback")
    }
}
