internal import Threads

/// Remembers what published records say, so that each is parsed once and not for each message.
///
/// Keyed by the record's own text, so that nothing in it can be out of date; how long a record lives is the resolver's business.
/// Bounded: the records of two generations are kept, and the older generation goes when the younger is full.
///
/// Trust: records that anybody publishes; look-ups are by a hash that is keyed in each process.
public final class RecordCache<Entry: Sendable>: Sendable {
    private let generations = Locked(Generations<Entry>())
    private let generationSize: Int
    private let maximumLength: Int
    private let parse: @Sendable ([UInt8]) -> Entry

    /// Creates a cache.
    ///
    /// - Parameters:
    ///   - capacity: about how many records are remembered; with 0 none is.
    ///   - maximumLength: the longest record that is, in octets.
    ///   - parse: makes a record, or what is wrong with it, of its text.
    public init(
        capacity: Int, maximumLength: Int, parse: @escaping @Sendable ([UInt8]) -> Entry
    ) {
        generationSize = max(0, capacity / 2)
        self.maximumLength = maximumLength
        self.parse = parse
    }

    /// Reads a record, or remembers it.
    public func record(for text: [UInt8]) -> Entry {
        guard generationSize > 0, text.count <= maximumLength else { return parse(text) }
        let key = RecordText(octets: text)
        if let known = generations.withLock({ $0.find(key, limit: generationSize) }) {
            return known
        }
        // Not under the lock: two threads may both parse a new record, and nobody waits for it.
        let entry = parse(text)
        generations.withLock { $0.insert(key, entry, limit: generationSize) }
        return entry
    }

    /// The number of records that are remembered.
    public var count: Int {
        generations.withLock { $0.young.count + $0.old.count }
    }
}

private struct Generations<Entry: Sendable>: Sendable {
    var young: [RecordText: Entry] = [:]
    var old: [RecordText: Entry] = [:]

    mutating func find(_ text: RecordText, limit: Int) -> Entry? {
        if let entry = young[text] { return entry }
        guard let entry = old.removeValue(forKey: text) else { return nil }
        insert(text, entry, limit: limit)
        return entry
    }

    mutating func insert(_ text: RecordText, _ entry: Entry, limit: Int) {
        if young.count >= limit {
            old = young
            young = [:]
        }
        young[text] = entry
    }
}

/// A record's text as a key, hashed as a whole and not octet by octet.
private struct RecordText: Hashable {
    let octets: [UInt8]

    func hash(into hasher: inout Hasher) {
        unsafe octets.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}
