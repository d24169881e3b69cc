/// Remembers DMARC records, and which texts are none.
public typealias DMARCRecordCache = RecordCache<DMARCRecord?>

extension DMARCRecordCache {
    /// One that remembers nothing.
    public static let none = DMARCRecordCache(capacity: 0)

    /// Creates a cache for about so many records; 0 remembers nothing.
    public convenience init(capacity: Int = 256) {
        self.init(capacity: capacity, maximumLength: 2048) { DMARCRecord(parsing: $0) }
    }
}
