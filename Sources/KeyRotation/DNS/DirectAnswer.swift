package import MailSyntax

/// A DNS message that one server has sent, as far as a rotation needs it (RFC 1035, section 4).
///
/// Trust: whoever answers may send anything; every length and pointer is checked, and the work is bounded by the
/// message's 65,535 octets.
package struct DirectAnswer: Hashable, Sendable {
    /// A record that matters here.
    package enum Data: Hashable, Sendable {
        /// The character strings of a TXT record, joined.
        case text([UInt8])
        /// Where a CNAME record leads.
        case alias(DomainName)
        /// The minimum of an SOA record (RFC 2308, section 4), in seconds.
        case authority(minimum: Int64)
    }

    /// A record with its owner.
    package struct Record: Hashable, Sendable {
        package let owner: DomainName
        package let ttl: Int64
        package let data: Data
    }

    /// The response code; 0 for none, 3 for a name that does not exist.
    package let responseCode: UInt8
    /// Whether the server answers for the zone (AA).
    package let isAuthoritative: Bool
    /// Whether it had more to say than fits (TC).
    package let isTruncated: Bool
    /// The records of the answer and authority sections.
    package let records: [Record]

    /// TXT and SOA, by their numbers.
    static let textType: UInt16 = 16
    static let authorityType: UInt16 = 6
    private static let aliasType: UInt16 = 5

    /// A question (RFC 1035, section 4.1.2), without recursion, with room for 1232 octets (RFC 6891; RFC 9715).
    static func question(_ name: DomainName, _ type: UInt16, id: UInt16) -> [UInt8] {
        var octets: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF), 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
        for label in name.labels {
            octets.append(UInt8(truncatingIfNeeded: label.utf8.count))
            octets += label.utf8
        }
        octets += [0, UInt8(type >> 8), UInt8(type & 0xFF), 0, 1]
        return octets + [0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0]
    }

    /// Reads an answer to a question; nil for anything else.
    package init?(_ octets: [UInt8], to name: DomainName, _ type: UInt16, id: UInt16) {
        var reader = WireReader(octets)
        guard let number = reader.number(), number == id, let flags = reader.number(),
            flags & 0x8000 != 0, reader.number() == 1, let answers = reader.number(),
            let authorities = reader.number(), reader.number() != nil,
            let asked = reader.name(), asked == name, reader.number() == type,
            reader.number() == 1
        else { return nil }
        responseCode = UInt8(flags & 0xF)
        isAuthoritative = flags & 0x0400 != 0
        isTruncated = flags & 0x0200 != 0
        var records: [Record] = []
        for _ in 0..<(Int(answers) + Int(authorities)) {
            guard let owner = reader.name(), let type = reader.number(), reader.number() != nil,
                let ttl = reader.long(), let length = reader.number(),
                let end = reader.end(Int(length))
            else {
                // A truncated message ends in the middle of a record.
                if isTruncated { break }
                return nil
            }
            if let data = Self.data(type, &reader, end) {
                // RFC 2181, section 8: a TTL with its first bit set counts as 0.
                let seconds = ttl < 0x8000_0000 ? Int64(ttl) : 0
                records.append(Record(owner: owner, ttl: seconds, data: data))
            }
            reader.position = end
        }
        self.records = records
    }

    private static func data(_ type: UInt16, _ reader: inout WireReader, _ end: Int) -> Data? {
        switch type {
        case textType:
            var text: [UInt8] = []
            while reader.position < end {
                guard let string = reader.string(before: end) else { return nil }
                text += string
            }
            return .text(text)
        case aliasType: return reader.name().map(Data.alias)
        case authorityType:
            guard reader.name() != nil, reader.name() != nil, reader.long() != nil,
                reader.long() != nil, reader.long() != nil, reader.long() != nil,
                let minimum = reader.long()
            else { return nil }
            return .authority(minimum: Int64(minimum))
        default: return nil
        }
    }
}

/// Reads numbers and names from a DNS message.
struct WireReader {
    private let octets: [UInt8]
    var position = 0

    init(_ octets: [UInt8]) {
        self.octets = octets
    }

    mutating func octet() -> UInt8? {
        guard position < octets.count else { return nil }
        defer { position += 1 }
        return octets[position]
    }

    mutating func number() -> UInt16? {
        guard let high = octet(), let low = octet() else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    mutating func long() -> UInt32? {
        guard let high = number(), let low = number() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    /// Where as many octets end; nil where the message does not have them.
    func end(_ count: Int) -> Int? {
        position + count <= octets.count ? position + count : nil
    }

    /// A character string that ends before a place.
    mutating func string(before limit: Int) -> ArraySlice<UInt8>? {
        guard let length = octet() else { return nil }
        let start = position
        guard start + Int(length) <= min(limit, octets.count) else { return nil }
        position = start + Int(length)
        return octets[start..<position]
    }

    /// A name (RFC 1035, section 4.1.4); pointers lead backwards only, so that following them ends.
    mutating func name() -> DomainName? {
        var text: [UInt8] = []
        var place = position
        var after: Int?
        while place < octets.count {
            let length = Int(octets[place])
            if length & 0xC0 == 0xC0 {
                guard place + 1 < octets.count else { return nil }
                let target = (length & 0x3F) << 8 | Int(octets[place + 1])
                after = after ?? place + 2
                guard target < place else { return nil }
                place = target
                continue
            }
            guard length <= 63 else { return nil }
            guard length > 0 else {
                position = after ?? place + 1
                return text.isEmpty ? .root : try? DomainName(bytes: text)
            }
            let label = octets[(place + 1)...].prefix(length)
            guard label.count == length, text.count + length <= 255,
                !label.contains(UInt8(ascii: "."))
            else { return nil }
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            text += label
            place += length + 1
        }
        return nil
    }
}
