public import MailDNS
public import MailSyntax

/// The little of the DNS wire format that a scripted server needs (RFC 1035, section 4).
public struct DNSMessage {
    /// The octets written so far.
    public private(set) var bytes: [UInt8] = []

    /// A question as it came over the wire.
    public struct Query {
        /// The message id.
        public var id: UInt16
        /// What is asked; nil if the name or the type is not one that the tests know.
        public var question: DNSQuestion?
        /// The question section's octets.
        public var section: [UInt8]
        /// The largest UDP answer that the asker takes.
        public var udpLimit: Int

        /// Reads a query; nil if it is not one.
        public init?(_ bytes: [UInt8]) {
            guard bytes.count >= 17 else { return nil }
            id = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
            var labels: [String] = []
            var position = 12
            while position < bytes.count, bytes[position] > 0 {
                let end = position + 1 + Int(bytes[position])
                guard end < bytes.count else { return nil }
                labels.append(String(decoding: bytes[position + 1..<end], as: UTF8.self))
                position = end
            }
            guard position + 5 <= bytes.count else { return nil }
            section = Array(bytes[12..<position + 5])
            let type = UInt16(bytes[position + 1]) << 8 | UInt16(bytes[position + 2])
            let text = labels.joined(separator: ".").utf8
            let name = text.isEmpty ? .root : try? DomainName(queryOctets: text.span)
            if let type = RecordType(rawValue: type), let name {
                question = DNSQuestion(name, type)
            }
            udpLimit = bytes[11] > 0 ? 1232 : 512
        }
    }

    /// Starts an answer: the header and the question section.
    public init(
        id: UInt16, section: [UInt8], code: Int, truncated: Bool = false, answers: Int = 0,
        authorities: Int = 0
    ) {
        append(id)
        // QR, RD and RA are set.
        append(0x8180 | (truncated ? 0x0200 : 0) | UInt16(code))
        append(1)
        append(UInt16(answers))
        append(UInt16(authorities))
        append(0)
        bytes += section
    }

    /// Appends a resource record, its name not compressed.
    public mutating func append(owner: DomainName, type: UInt16, ttl: UInt32, data: [UInt8]) {
        bytes += Self.name(owner)
        append(type)
        append(1)
        append(UInt16(ttl >> 16))
        append(UInt16(ttl & 0xffff))
        append(UInt16(data.count))
        bytes += data
    }

    private mutating func append(_ value: UInt16) {
        bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
    }

    /// A name as labels.
    public static func name(_ name: DomainName) -> [UInt8] {
        var bytes: [UInt8] = []
        for label in name.ascii.split(separator: ".") {
            bytes.append(UInt8(label.utf8.count))
            bytes += Array(label.utf8)
        }
        return bytes + [0]
    }

    /// A record's data.
    public static func data(_ record: DNSRecord) -> [UInt8] {
        switch record {
        case .address(.v4(let value)):
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
        case .address(.v6(let value)):
            (0..<16).map { UInt8(truncatingIfNeeded: value >> (120 - 8 * $0)) }
        case .mx(let preference, let exchange):
            [UInt8(preference >> 8), UInt8(preference & 0xff)] + name(exchange)
        case .srv(let priority, let weight, let port, let target):
            [priority, weight, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] } + name(target)
        case .name(let target):
            name(target)
        case .text(let strings):
            strings.flatMap { [UInt8($0.count)] + $0 }
        }
    }
}
