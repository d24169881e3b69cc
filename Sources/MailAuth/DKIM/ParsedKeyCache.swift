internal import Locking

/// Remembers what key records say, so that a key is parsed and warmed up once and not for each
/// message.
///
/// Keyed by the record's own text, so that nothing in it can be out of date; how long a record
/// lives is the resolver's business. Bounded: the records of two generations are kept, and the
/// older generation goes when the younger is full.
///
/// Trust: records that anybody publishes; look-ups are by a hash that is keyed in each process.
public final class ParsedKeyCache: Sendable {
    /// A record, or what is wrong with it.
    public typealias Entry = Result<KeyRecord, KeyRecordError>

    fileprivate struct Generations {
        var young: [RecordText: Entry] = [:]
        var old: [RecordText: Entry] = [:]
    }

    private let generations = Locked(Generations())
    private let generationSize: Int

    /// Creates a cache for about so many records; 0 remembers nothing.
    public init(capacity: Int = 256) {
        generationSize = max(0, capacity / 2)
    }

    /// Reads a record, or remembers it.
    public func record(for text: [UInt8]) -> Entry {
        guard generationSize > 0, text.count <= KeyRecord.maximumLength else {
            return Self.parse(text)
        }
        let key = RecordText(octets: text)
        if let known = generations.withLock({ $0.find(key, limit: generationSize) }) {
            return known
        }
        // Not under the lock: two threads may both parse a new record, and nobody waits for it.
        let entry = Self.parse(text)
        generations.withLock { $0.insert(key, entry, limit: generationSize) }
        return entry
    }

    /// The number of records that are remembered.
    public var count: Int {
        generations.withLock { $0.young.count + $0.old.count }
    }

    private static func parse(_ text: [UInt8]) -> Entry {
        do throws(KeyRecordError) {
            return .success(try KeyRecord(parsing: text))
        } catch {
            return .failure(error)
        }
    }
}

extension ParsedKeyCache.Generations {
    fileprivate mutating func find(_ text: RecordText, limit: Int) -> ParsedKeyCache.Entry? {
        if let entry = young[text] { return entry }
        guard let entry = old.removeValue(forKey: text) else { return nil }
        insert(text, entry, limit: limit)
        return entry
    }

    fileprivate mutating func insert(
        _ text: RecordText, _ entry: ParsedKeyCache.Entry, limit: Int
    ) {
        if young.count >= limit {
            old = young
            young = [:]
        }
        young[text] = entry
    }
}

/// A record's text as a key, hashed as a whole and not octet by octet.
fileprivate struct RecordText: Hashable {
    let octets: [UInt8]

    func hash(into hasher: inout Hasher) {
        unsafe octets.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}
