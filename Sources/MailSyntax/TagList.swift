/// A tag-list, `name=value; name=value`, as DKIM signatures and key records, ARC and DMARC have it
/// (RFC 6376, section 3.2).
///
/// Holds positions in the bytes it was read from, so that a value can be blanked in place. It keeps
/// those bytes: a change of the array that they are a part of costs a copy while it lives.
///
/// Trust: hostile bytes; time and memory are linear in their number.
public struct TagList: Sendable {
    /// How closely the grammar is kept to.
    public enum Strictness: Hashable, Sendable {
        /// RFC 6376, section 3.2, to the letter, but for octets outside ASCII in values (RFC 8616, section 5).
        case rfc6376
        /// As that, but a tag-spec may be empty: `v=DMARC1;; p=none` (as DMARC records have it at times).
        case allowingEmptyTags
    }

    /// One tag's places in the list's bytes.
    public struct Tag: Hashable, Sendable {
        /// The tag's name.
        public private(set) var name: Range<Int>
        /// The value, without the white space around it.
        public private(set) var value: Range<Int>
        /// All between "=" and ";" or the end, white space included: what RFC 6376, section 3.7, deletes
        /// of "b=".
        public private(set) var spacedValue: Range<Int>

        init(name: Range<Int>, value: Range<Int>, spacedValue: Range<Int>) {
            self.name = name
            self.value = value
            self.spacedValue = spacedValue
        }

        /// Makes the places those in the array that the list is a slice of.
        fileprivate mutating func shift(by start: Int) {
            name = name.lowerBound + start..<name.upperBound + start
            value = value.lowerBound + start..<value.upperBound + start
            spacedValue = spacedValue.lowerBound + start..<spacedValue.upperBound + start
        }
    }

    /// The bytes that were read; positions are indices into them.
    public let bytes: ArraySlice<UInt8>

    /// The tags in their order.
    public let tags: [Tag]

    /// Reads a tag-list.
    ///
    /// Positions are indices of `bytes`, that is of the array it is a slice of.
    ///
    /// - Parameters:
    ///   - bytes: the octets of the list.
    ///   - strictness: how closely the grammar is kept to.
    ///   - names: the tags around whose names and values comments may stand, as ARC allows for "i" and "cv"
    ///     (RFC 8617, section 3.9); they are no part of the value.
    /// - Throws: what is wrong with the list.
    public init(
        parsing bytes: ArraySlice<UInt8>, strictness: Strictness = .rfc6376,
        commentsAround names: [String] = []
    ) throws(TagListError) {
        self.bytes = bytes
        let start = bytes.startIndex
        var tags = try TagListParser.parse(bytes.span, strictness, commentsAround: names)
        if start > 0 { for index in tags.indices { tags[index].shift(by: start) } }
        self.tags = tags
    }

    /// Reads a tag-list from an array.
    public init(
        parsing bytes: [UInt8], strictness: Strictness = .rfc6376
    ) throws(TagListError) {
        try self.init(parsing: bytes[...], strictness: strictness)
    }

    /// Reads a tag-list from text; positions are offsets in its UTF-8 form.
    public init(
        parsing text: String, strictness: Strictness = .rfc6376
    ) throws(TagListError) {
        try self.init(parsing: Array(text.utf8)[...], strictness: strictness)
    }

    /// The tag of a name, which is compared with regard to case (RFC 6376, section 3.2).
    public func tag(_ name: String) -> Tag? {
        let length = name.utf8.count
        return tags.first {
            $0.name.count == length && bytes[$0.name].elementsEqual(name.utf8)
        }
    }

    /// The octets of a tag's value; nil where there is no such tag.
    public subscript(name: String) -> ArraySlice<UInt8>? {
        tag(name).map { bytes[$0.value] }
    }

    /// A tag's value as text; nil where there is no such tag, or its value is not UTF-8.
    public func text(_ name: String) -> String? {
        self[name].flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// The parts of a value between colons, without the white space around each (as `h=` and `s=` have
    /// them); nil where there is no such tag.
    public func list(_ name: String) -> [ArraySlice<UInt8>]? {
        self[name].map { value in
            value.split(separator: 0x3A, omittingEmptySubsequences: false)
                .map { $0.trimmingFoldingSpace() }
        }
    }

    /// The octets that a base64 value stands for; nil where there is no such tag, or it is not base64.
    public func base64(_ name: String) -> [UInt8]? {
        self[name].flatMap { Base64.decode($0.span) }
    }
}

/// Why bytes are no tag-list; the offsets count from the list's first octet.
public enum TagListError: Error, Hashable, Sendable {
    /// There is nothing, or white space only.
    case empty
    /// A tag-spec with nothing in it, before the end.
    case emptyTag(offset: Int)
    /// A name that is missing, or does not begin with a letter, or has other characters than letters,
    /// digits and "_".
    case invalidName(offset: Int)
    /// A name without "=".
    case missingEqualsSign(offset: Int)
    /// An octet that no value has.
    case invalidValue(offset: Int)
    /// A name for the second time, which makes the whole list invalid.
    case duplicate(name: String)
}
