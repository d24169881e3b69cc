internal import MailSyntax

extension DNSRecord {
    /// Reads a record's data as libunbound hands it over: wire format, names not compressed.
    ///
    /// Trust: whoever runs the domain asked for writes these bytes. Every length is checked, and
    /// reading them takes linear time. Nil means that they are not data of that type.
    package init?(_ type: RecordType, data: [UInt8]) {
        switch type {
        case .a:
            guard data.count == 4 else { return nil }
            self = .address(.v4(data.reduce(0) { $0 << 8 | UInt32($1) }))
        case .aaaa:
            guard data.count == 16 else { return nil }
            self = .address(.v6(data.reduce(0) { $0 << 8 | UInt128($1) }))
        case .mx:
            guard data.count > 2, let exchange = Self.name(data[2...]) else { return nil }
            self = .mx(preference: UInt16(data[0]) << 8 | UInt16(data[1]), exchange: exchange)
        case .srv:
            guard data.count > 6, let target = Self.name(data[6...]) else { return nil }
            func number(_ place: Int) -> UInt16 {
                UInt16(data[place]) << 8 | UInt16(data[place + 1])
            }
            self = .srv(priority: number(0), weight: number(2), port: number(4), target: target)
        case .ns, .cname, .ptr:
            guard let name = Self.name(data[...]) else { return nil }
            self = .name(name)
        case .txt:
            guard let strings = Self.strings(data) else { return nil }
            self = .text(strings)
        }
    }

    /// One or more character strings, each led by its length (RFC 1035, section 3.3.14).
    private static func strings(_ data: [UInt8]) -> [[UInt8]]? {
        var strings: [[UInt8]] = []
        var rest = data[...]
        while let length = rest.popFirst() {
            guard rest.count >= length else { return nil }
            strings.append(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        return strings.isEmpty ? nil : strings
    }

    /// Labels, each led by its length, up to the root's empty one (RFC 1035, section 3.1).
    ///
    /// A label that text cannot hold unchanged, with a dot or octets beyond ASCII in it, is refused:
    /// it would read as another name.
    private static func name(_ data: ArraySlice<UInt8>) -> DomainName? {
        guard data.count <= 255 else { return nil }
        var text: [UInt8] = []
        var rest = data
        while let length = rest.popFirst() {
            guard length > 0 else {
                guard rest.isEmpty else { return nil }
                return text.isEmpty ? .root : try? DomainName(bytes: text)
            }
            guard length <= 63, rest.count > length else { return nil }
            let label = rest.prefix(Int(length))
            guard label.allSatisfy({ $0 != UInt8(ascii: ".") && $0 < 0x80 }) else { return nil }
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            text.append(contentsOf: label)
            rest = rest.dropFirst(Int(length))
        }
        return nil
    }
}
