/// Remembers DKIM keys, parsed and warmed up.
public typealias ParsedKeyCache = RecordCache<Result<KeyRecord, KeyRecordError>>

extension ParsedKeyCache {
    /// Creates a cache for about so many keys; 0 remembers nothing.
    public convenience init(capacity: Int = 256) {
        self.init(capacity: capacity, maximumLength: KeyRecord.maximumLength) { text in
            Result { () throws(KeyRecordError) in try KeyRecord(parsing: text) }
        }
    }
}
