/// Finds header fields by name: an open hash table of the lowest field of each name, from which a chain
/// leads up through the others.
///
/// Trust: hostile names. The hash is keyed with secrets that are new in each process, so that names that
/// collide cannot be made up in advance.
struct FieldIndex: Sendable {
    private struct Link {
        /// The hash of the name.
        var hash: UInt32
        /// The next field above with the same name, or -1.
        var previous: Int32
        /// Which field of the name this is, from the top, from 1.
        var occurrence: Int32
    }

    private var links: [Link] = []
    /// For each slot the lowest field of a name, or -1.
    ///
    /// A power of two, at most half full.
    private var slots: [Int32] = []
    private var names = 0

    /// Notes the last of the fields, whose name is given.
    mutating func append(
        name: Span<UInt8>, names bytes: [UInt8], fields: [HeaderSection.Field]
    ) {
        if names * 2 >= slots.count { grow() }
        let hash = FieldIndex.hash(name)
        let slot = find(name, hash: hash, bytes: bytes, fields: fields)
        let previous = slots[slot]
        if previous < 0 { names += 1 }
        let occurrence = previous < 0 ? 1 : links[Int(previous)].occurrence + 1
        slots[slot] = Int32(truncatingIfNeeded: links.count)
        links.append(Link(hash: hash, previous: previous, occurrence: occurrence))
    }

    /// The lowest field with a name, whose hash is told.
    func last(
        named name: Span<UInt8>, hash: UInt32, names bytes: [UInt8], fields: [HeaderSection.Field]
    ) -> Int? {
        guard !slots.isEmpty else { return nil }
        let slot = find(name, hash: hash, bytes: bytes, fields: fields)
        return slots[slot] < 0 ? nil : Int(slots[slot])
    }

    /// The lowest field that has the name of another.
    func last(sameNameAs position: Int, names bytes: [UInt8], fields: [HeaderSection.Field]) -> Int
    {
        let name = bytes.span.extracting(fields[position].name)
        return Int(slots[find(name, hash: links[position].hash, bytes: bytes, fields: fields)])
    }

    /// The next field above with the same name.
    func previous(_ position: Int) -> Int? {
        let previous = links[position].previous
        return previous < 0 ? nil : Int(previous)
    }

    /// Which field of its name this is, from the top, from 1.
    func occurrence(_ position: Int) -> Int { Int(links[position].occurrence) }

    /// The slot of a name, or the empty one where it belongs.
    ///
    /// There is always an empty one.
    private func find(
        _ name: Span<UInt8>, hash: UInt32, bytes: [UInt8], fields: [HeaderSection.Field]
    ) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] >= 0 {
            let candidate = Int(slots[slot])
            if links[candidate].hash == hash,
                bytes.span.extracting(fields[candidate].name).equalsIgnoringASCIICase(name)
            {
                break
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = [Int32](repeating: -1, count: Swift.max(64, old.count * 2))
        links.reserveCapacity(slots.count / 2)
        let mask = slots.count - 1
        for position in old where position >= 0 {
            var slot = Int(links[Int(position)].hash) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = position
        }
    }

    /// The hash of a name, whatever the case of its letters: eight octets at a time are multiplied with one secret number into
    /// what another one began.
    static func hash(_ name: Span<UInt8>) -> UInt32 {
        var state = secret.start ^ UInt64(truncatingIfNeeded: name.count)
        var index = 0
        let words = unsafe name.bytes
        while name.count &- index >= 8 {
            // Inside the span by the condition above, so that the load is safe.
            let word = unsafe words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            state = mixed(state ^ lowercased(word))
            index &+= 8
        }
        var word: UInt64 = 0
        while index < name.count {
            word = word << 8 | UInt64(name[index])
            index &+= 1
        }
        state = mixed(state ^ lowercased(word))
        return UInt32(truncatingIfNeeded: state ^ state >> 32)
    }

    private static let secret = (
        start: UInt64.random(in: 0...(.max)), factor: UInt64.random(in: 0...(.max)) | 1
    )

    private static func mixed(_ state: UInt64) -> UInt64 {
        let product = state.multipliedFullWidth(by: secret.factor)
        return product.high ^ product.low
    }

    /// Eight octets with ASCII capitals in lower case.
    private static func lowercased(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = word & (ones &* 0x7F)
        // In each octet the highest bit tells: at least "A", beyond "Z".
        let fromA = low &+ ones &* (0x80 - 0x41)
        let beyondZ = low &+ ones &* (0x80 - 0x5B)
        let isCapital = (fromA ^ beyondZ) & ~word & (ones &* 0x80)
        return word | isCapital >> 2
    }
}
