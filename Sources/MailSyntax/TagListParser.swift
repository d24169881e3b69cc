/// Reads the grammar of RFC 6376, section 3.2, in one pass.
///
/// Positions here count from the list's first octet. Trust: hostile bytes; one look at each, and a hash of each name where there
/// are many.
enum TagListParser {
    /// Lists of fewer tags are searched for duplicates by comparison, longer ones by hash.
    private static let hashedFrom = 12

    /// Reads all tags.
    static func parse(
        _ bytes: Span<UInt8>, _ strictness: TagList.Strictness,
        commentsAround names: [String] = []
    ) throws(TagListError) -> [TagList.Tag] {
        var tags: [TagList.Tag] = []
        tags.reserveCapacity(hashedFrom)
        var seen: Set<[UInt8]> = []
        var position = 0
        while true {
            let start = try skipSpace(in: bytes, from: position)
            // tag-list = tag-spec *( ";" tag-spec ) [ ";" ]: nothing may follow the last semicolon.
            if start == bytes.count {
                guard !tags.isEmpty else { throw TagListError.empty }
                return tags
            }
            if bytes[start] == 0x3B {
                guard strictness == .allowingEmptyTags else {
                    throw TagListError.emptyTag(offset: start)
                }
                position = start + 1
                continue
            }
            let commented = try readTagWithComments(names, in: bytes, at: start)
            let tag = if let commented { commented } else { try readTag(in: bytes, at: start) }
            try note(bytes.extracting(tag.name), in: bytes, tags: tags, seen: &seen)
            tags.append(tag)
            position = tag.spacedValue.upperBound
            if position < bytes.count { position += 1 }
        }
    }

    /// Reads a tag that may have comments around its name and its value; nil where the tag is another.
    private static func readTagWithComments(
        _ names: [String], in bytes: Span<UInt8>, at start: Int
    ) throws(TagListError) -> TagList.Tag? {
        guard !names.isEmpty else { return nil }
        let nameStart = try skipComments(in: bytes, from: start)
        var nameEnd = nameStart
        while nameEnd < bytes.count, bytes[nameEnd].isASCIILetter { nameEnd += 1 }
        let name = bytes.extracting(nameStart..<nameEnd)
        guard names.contains(where: { name.isEqual(to: $0) }) else { return nil }
        let equals = try skipComments(in: bytes, from: nameEnd)
        guard equals < bytes.count, bytes[equals] == 0x3D else { return nil }
        let valueStart = try skipComments(in: bytes, from: equals + 1)
        var valueEnd = valueStart
        while valueEnd < bytes.count, bytes[valueEnd].isASCIIAlphanumeric { valueEnd += 1 }
        let end = try skipComments(in: bytes, from: valueEnd)
        guard end == bytes.count || bytes[end] == 0x3B else { return nil }
        return TagList.Tag(
            name: nameStart..<nameEnd, value: valueStart..<valueEnd,
            spacedValue: (equals + 1)..<end)
    }

    /// Skips comments and folding white space (CFWS of RFC 5322, section 3.2.2).
    private static func skipComments(
        in bytes: Span<UInt8>, from start: Int
    ) throws(TagListError) -> Int {
        var position = try skipSpace(in: bytes, from: start)
        while position < bytes.count, bytes[position] == UInt8(ascii: "(") {
            let comment = position
            var depth = 0
            repeat {
                switch bytes[position] {
                case UInt8(ascii: "("): depth += 1
                case UInt8(ascii: ")"): depth -= 1
                case UInt8(ascii: "\\"): position += 1
                default: break
                }
                position += 1
            } while depth > 0 && position < bytes.count
            guard depth == 0 else { throw TagListError.invalidValue(offset: comment) }
            position = try skipSpace(in: bytes, from: position)
        }
        return position
    }

    private static func readTag(
        in bytes: Span<UInt8>, at start: Int
    ) throws(TagListError) -> TagList.Tag {
        // tag-name = ALPHA *ALNUMPUNC
        var position = start
        guard bytes[position].isASCIILetter else {
            throw TagListError.invalidName(offset: position)
        }
        while position < bytes.count,
            bytes[position].isASCIIAlphanumeric || bytes[position] == 0x5F
        {
            position += 1
        }
        let name = start..<position
        let equals = try skipSpace(in: bytes, from: position)
        guard equals < bytes.count, bytes[equals] != 0x3B else {
            throw TagListError.missingEqualsSign(offset: start)
        }
        guard bytes[equals] == 0x3D else {
            throw TagListError.invalidName(offset: equals)
        }
        // tag-value = [ tval *( 1*(WSP / FWS) tval ) ], with FWS on both sides
        let valueStart = try skipSpace(in: bytes, from: equals + 1)
        var valueEnd = valueStart
        position = valueStart
        while position < bytes.count {
            let octet = bytes[position]
            if octet.isFoldingSpace {
                position = try skipSpace(in: bytes, from: position)
            } else if octet == 0x3B {
                break
            } else {
                guard !octet.isASCIIControl else {
                    throw TagListError.invalidValue(offset: position)
                }
                repeat { position &+= 1 } while position < bytes.count && isPlain(bytes[position])
                valueEnd = position
            }
        }
        return TagList.Tag(
            name: name, value: valueStart..<valueEnd, spacedValue: (equals + 1)..<position)
    }

    /// Whether an octet is text wherever it stands in a value.
    private static func isPlain(_ octet: UInt8) -> Bool {
        octet > .space && octet != 0x3B && octet != 0x7F
    }

    /// Skips folding white space: FWS = [*WSP CRLF] 1*WSP.
    ///
    /// Several folds in a row are let pass, as obsolete folding has them, and a bare LF counts as a CRLF.
    /// A line end that no WSP follows is invalid, except at the very end, where it can only be the
    /// field's own.
    private static func skipSpace(
        in bytes: Span<UInt8>, from start: Int
    ) throws(TagListError) -> Int {
        var position = start
        while position < bytes.count {
            let octet = bytes[position]
            if octet.isWSP {
                position += 1
            } else if octet == .cr || octet == .lf {
                let next = try skipLineEnd(in: bytes, at: position)
                guard next == bytes.count || bytes[next].isWSP else {
                    throw TagListError.invalidValue(offset: position)
                }
                position = next
            } else {
                break
            }
        }
        return position
    }

    private static func skipLineEnd(
        in bytes: Span<UInt8>, at position: Int
    ) throws(TagListError) -> Int {
        if bytes[position] == .lf { return position + 1 }
        guard position + 1 < bytes.count, bytes[position + 1] == .lf else {
            throw TagListError.invalidValue(offset: position)
        }
        return position + 2
    }

    /// Notes a name: "Tags with duplicate names MUST NOT occur within a single tag-list".
    private static func note(
        _ name: Span<UInt8>, in bytes: Span<UInt8>, tags: [TagList.Tag], seen: inout Set<[UInt8]>
    ) throws(TagListError) {
        var isNew = true
        if tags.count < hashedFrom {
            for index in tags.indices where bytes.extracting(tags[index].name).isEqual(to: name) {
                isNew = false
            }
        } else {
            if seen.isEmpty {
                for earlier in tags { seen.insert(bytes.extracting(earlier.name).copied()) }
            }
            isNew = seen.insert(name.copied()).inserted
        }
        guard isNew else {
            throw TagListError.duplicate(name: String(decoding: name.copied(), as: UTF8.self))
        }
    }
}

extension Span<UInt8> {
    fileprivate func isEqual(to name: String) -> Bool {
        isEqual(to: name.utf8.span)
    }

    fileprivate func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
