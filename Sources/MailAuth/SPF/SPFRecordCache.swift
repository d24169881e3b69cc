/// Remembers SPF records.
public typealias SPFRecordCache = RecordCache<Result<SPFRecord, SPFSyntaxError>>

extension SPFRecordCache {
    /// One that remembers nothing.
    public static let none = SPFRecordCache(capacity: 0)

    /// Creates a cache for about so many records; 0 remembers nothing.
    public convenience init(capacity: Int = 256) {
        // What is longer is rare, and several times what RFC 7208, section 3.4, has in mind.
        self.init(capacity: capacity, maximumLength: 2048) { text in
            Result { () throws(SPFSyntaxError) in try SPFRecord(parsing: text) }
        }
    }
}
