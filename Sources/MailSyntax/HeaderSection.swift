/// The header section of a message, byte for byte: folds, white space around the colon, octets outside
/// ASCII and NUL are kept as they came.
///
/// All fields lie in one array, each with the CRLF that ends it; everything else is positions. Names are
/// indexed by hash, with a secret that changes with each process, so that hostile names cannot slow a
/// look-up down.
///
/// Trust: hostile bytes. Memory is bounded by `Limits`; time is linear in what is appended.
public struct HeaderSection: Sendable {
    /// How much a header section may hold.
    public struct Limits: Hashable, Sendable {
        /// The greatest number of fields.
        public var fields: Int
        /// The greatest number of octets, line ends included.
        public var bytes: Int

        /// Creates limits; more than 1 GiB is taken as 1 GiB.
        public init(fields: Int = 10_000, bytes: Int = 4 << 20) {
            self.fields = Swift.min(Swift.max(0, fields), 1 << 28)
            self.bytes = Swift.min(Swift.max(0, bytes), 1 << 30)
        }

        /// 10,000 fields and 4 MiB: far above what mail has (Postfix itself cuts a field at 100 KiB).
        public static let standard = Limits()
        /// The greatest limits there are, for tools that read trusted files.
        public static let greatest = Limits(fields: .max, bytes: .max)
    }

    /// Which limit was met.
    public enum LimitExceeded: Error, Hashable, Sendable, CustomStringConvertible {
        /// There was one field more than this.
        case fields(Int)
        /// There would have been more octets than this.
        case bytes(Int)

        /// The fault in words that follow the message's name.
        public var description: String {
            switch self {
            case .fields(let limit): "has more than \(limit) header fields"
            case .bytes(let limit): "has more than \(limit) octets of header fields"
            }
        }
    }

    /// One field's places in the section's bytes.
    public struct Field: Hashable, Sendable {
        private let start: UInt32
        private let nameEnd: UInt32
        private let valueStart: UInt32
        private let valueEnd: UInt32

        /// The name, without the white space that obsolete syntax has before the colon.
        public var name: Range<Int> { Int(start)..<Int(nameEnd) }
        /// All after the colon, leading white space included, without the CRLF that ends the field.
        public var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
        /// The whole field, with the CRLF that ends it.
        public var whole: Range<Int> { Int(start)..<Int(valueEnd) + 2 }

        init(start: Int, nameEnd: Int, valueStart: Int, valueEnd: Int) {
            self.start = UInt32(truncatingIfNeeded: start)
            self.nameEnd = UInt32(truncatingIfNeeded: nameEnd)
            self.valueStart = UInt32(truncatingIfNeeded: valueStart)
            self.valueEnd = UInt32(truncatingIfNeeded: valueEnd)
        }
    }

    /// The fields' octets, top to bottom, each field with its CRLF; no empty line at the end.
    public private(set) var bytes: [UInt8] = []

    /// The fields, top to bottom.
    public private(set) var fields: [Field] = []

    /// The limit that stopped the section from growing, if any: it then lacks at least one field, and
    /// nothing may be concluded from what it does not have.
    public private(set) var limitExceeded: LimitExceeded?

    /// The limits that the section was made with.
    public let limits: Limits

    private var index = FieldIndex()

    /// Creates an empty section.
    public init(limits: Limits = .standard) {
        self.limits = limits
    }

    /// The number of fields.
    public var count: Int { fields.count }

    /// Whether there are no fields.
    public var isEmpty: Bool { fields.isEmpty }
}

extension HeaderSection {
    /// Makes room for some octets of fields, so that appending them copies nothing twice.
    public mutating func reserveCapacity(fields: Int, bytes: Int) {
        self.fields.reserveCapacity(Swift.min(fields, limits.fields))
        self.bytes.reserveCapacity(Swift.min(bytes, limits.bytes))
    }

    /// Appends a field as a milter is given it: the value with its leading white space and its folds.
    ///
    /// Each LF of the value becomes CRLF, one that follows a CR already included; nothing else changes,
    /// and nothing is refused for its form. Past a limit the field is dropped, `limitExceeded` is set, and
    /// every later field is dropped too.
    ///
    /// - Returns: whether the field was kept.
    @discardableResult
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        guard hasRoom(for: name.count &+ value.count &+ 3) else { return false }
        // Room for the header section of most mail, so that it grows without copies.
        if fields.isEmpty { reserveCapacity(fields: 32, bytes: 4096) }
        let start = bytes.count
        var nameLength = name.count
        while nameLength > 0, name[nameLength - 1].isWSP { nameLength -= 1 }
        bytes.append(contentsOf: name)
        bytes.append(0x3A)
        let valueStart = bytes.count
        appendWithCRLF(value)
        let field = Field(
            start: start, nameEnd: start + nameLength, valueStart: valueStart, valueEnd: bytes.count
        )
        bytes.append(.cr)
        bytes.append(.lf)
        // A value full of LFs grows on the way in: it is taken back if it no longer fits.
        guard bytes.count <= limits.bytes else {
            bytes.removeSubrange(start...)
            limitExceeded = .bytes(limits.bytes)
            return false
        }
        fields.append(field)
        index.append(name: name.extracting(0..<nameLength), names: bytes, fields: fields)
        return true
    }

    /// Appends a field from text; the value has its leading space and "\n" folds.
    @discardableResult
    public mutating func append(name: String, value: String) -> Bool {
        append(name: Array(name.utf8), value: Array(value.utf8))
    }

    /// Appends a field from arrays.
    @discardableResult
    public mutating func append(name: [UInt8], value: [UInt8]) -> Bool {
        append(name: name.span, value: value.span)
    }

    private mutating func hasRoom(for length: Int) -> Bool {
        if limitExceeded != nil { return false }
        if fields.count >= limits.fields {
            limitExceeded = .fields(limits.fields)
        } else if length > limits.bytes - bytes.count {
            limitExceeded = .bytes(limits.bytes)
        }
        return limitExceeded == nil
    }

    private mutating func appendWithCRLF(_ value: Span<UInt8>) {
        var start = 0
        while let lineEnd = value.firstIndex(of: .lf, from: start) {
            bytes.append(contentsOf: value.extracting(start..<lineEnd))
            if lineEnd == 0 || value[lineEnd - 1] != .cr { bytes.append(.cr) }
            bytes.append(.lf)
            start = lineEnd + 1
        }
        bytes.append(contentsOf: value.extracting(start..<value.count))
    }
}

extension HeaderSection {
    /// The positions of the fields with a name, top to bottom.
    public func indices(named name: FieldName) -> [Int] {
        indices(upFrom: lastIndex(named: name))
    }

    /// The positions of the fields with a name, top to bottom.
    public func indices(named name: Span<UInt8>) -> [Int] {
        indices(upFrom: lastIndex(named: name))
    }

    private func indices(upFrom lowest: Int?) -> [Int] {
        var found: [Int] = []
        var next = lowest
        while let position = next {
            found.append(position)
            next = previousIndex(sameNameAs: position)
        }
        found.reverse()
        return found
    }

    /// The position of the lowest field with a name.
    public func lastIndex(named name: FieldName) -> Int? {
        index.last(
            named: name.lowercased.span, hash: name.hash, names: bytes, fields: fields)
    }

    /// The position of the lowest field with a name.
    public func lastIndex(named name: Span<UInt8>) -> Int? {
        index.last(named: name, hash: FieldIndex.hash(name), names: bytes, fields: fields)
    }

    /// The position of the lowest field that has the name of another.
    public func lastIndex(sameNameAs position: Int) -> Int {
        index.last(sameNameAs: position, names: bytes, fields: fields)
    }

    /// The position of the next field above one that has the same name: with `lastIndex`, the order in
    /// which signatures take fields (RFC 6376, section 5.4.2).
    public func previousIndex(sameNameAs position: Int) -> Int? {
        index.previous(position)
    }

    /// The number of fields with a name.
    public func count(named name: FieldName) -> Int {
        lastIndex(named: name).map(occurrence) ?? 0
    }

    /// Which of the fields with its name a field is, from the top, counted from 1, as the milter
    /// protocol counts for a change or a deletion.
    public func occurrence(of position: Int) -> Int {
        index.occurrence(position)
    }

    /// The octets of a field's name, as they are spelled.
    public func name(of position: Int) -> ArraySlice<UInt8> { bytes[fields[position].name] }

    /// The octets of a field's value, from after the colon, folds included.
    public func value(of position: Int) -> ArraySlice<UInt8> { bytes[fields[position].value] }

    /// The octets of a whole field, with the CRLF that ends it.
    public func whole(of position: Int) -> ArraySlice<UInt8> { bytes[fields[position].whole] }
}
