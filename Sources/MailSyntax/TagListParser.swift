/// Reads the grammar of RFC 6376, section 3.2, in one pass.
///
/// Trust: hostile bytes; one look at each, and a hash of each name where there are many.
struct TagListParser {
    let bytes: ArraySlice<UInt8>
    let strictness: TagList.Strictness

    /// Lists of fewer tags are searched for duplicates by comparison, longer ones by hash.
    private static let hashedFrom = 12

    /// Reads all tags.
    func parse() throws(TagListError) -> [TagList.Tag] {
        var tags: [TagList.Tag] = []
        tags.reserveCapacity(TagListParser.hashedFrom)
        var seen: Set<ArraySlice<UInt8>> = []
        var position = bytes.startIndex
        while true {
            let start = try skipSpace(from: position)
            // tag-list = tag-spec *( ";" tag-spec ) [ ";" ]: nothing may follow the last semicolon.
            if start == bytes.endIndex {
                guard !tags.isEmpty else { throw TagListError.empty }
                return tags
            }
            if bytes[start] == 0x3B {
                guard strictness == .allowingEmptyTags else {
                    throw TagListError.emptyTag(offset: offset(start))
                }
                position = start + 1
                continue
            }
            let tag = try readTag(at: start)
            try note(tag, tags: tags, seen: &seen)
            tags.append(tag)
            position = tag.spacedValue.upperBound
            if position < bytes.endIndex { position += 1 }
        }
    }

    private func offset(_ position: Int) -> Int { position - bytes.startIndex }

    private func readTag(at start: Int) throws(TagListError) -> TagList.Tag {
        // tag-name = ALPHA *ALNUMPUNC
        var position = start
        guard bytes[position].isASCIILetter else {
            throw TagListError.invalidName(offset: offset(position))
        }
        while position < bytes.endIndex,
            bytes[position].isASCIIAlphanumeric || bytes[position] == 0x5F
        {
            position += 1
        }
        let name = start..<position
        let equals = try skipSpace(from: position)
        guard equals < bytes.endIndex, bytes[equals] != 0x3B else {
            throw TagListError.missingEqualsSign(offset: offset(start))
        }
        guard bytes[equals] == 0x3D else {
            throw TagListError.invalidName(offset: offset(equals))
        }
        // tag-value = [ tval *( 1*(WSP / FWS) tval ) ], with FWS on both sides
        let valueStart = try skipSpace(from: equals + 1)
        var valueEnd = valueStart
        position = valueStart
        while position < bytes.endIndex, bytes[position] != 0x3B {
            let octet = bytes[position]
            if octet.isFoldingSpace {
                position = try skipSpace(from: position)
            } else {
                guard !octet.isASCIIControl else {
                    throw TagListError.invalidValue(offset: offset(position))
                }
                position += 1
                valueEnd = position
            }
        }
        return TagList.Tag(
            name: name, value: valueStart..<valueEnd, spacedValue: (equals + 1)..<position)
    }

    /// Skips folding white space: FWS = [*WSP CRLF] 1*WSP.
    ///
    /// Several folds in a row are let pass, as obsolete folding has them, and a bare LF counts as a CRLF.
    /// A line end that no WSP follows is invalid, except at the very end, where it can only be the
    /// field's own.
    private func skipSpace(from start: Int) throws(TagListError) -> Int {
        var position = start
        while position < bytes.endIndex {
            let octet = bytes[position]
            if octet.isWSP {
                position += 1
            } else if octet == .cr || octet == .lf {
                let next = try skipLineEnd(at: position)
                guard next == bytes.endIndex || bytes[next].isWSP else {
                    throw TagListError.invalidValue(offset: offset(position))
                }
                position = next
            } else {
                break
            }
        }
        return position
    }

    private func skipLineEnd(at position: Int) throws(TagListError) -> Int {
        if bytes[position] == .lf { return position + 1 }
        guard position + 1 < bytes.endIndex, bytes[position + 1] == .lf else {
            throw TagListError.invalidValue(offset: offset(position))
        }
        return position + 2
    }

    /// Notes a name: "Tags with duplicate names MUST NOT occur within a single tag-list".
    private func note(
        _ tag: TagList.Tag, tags: [TagList.Tag], seen: inout Set<ArraySlice<UInt8>>
    ) throws(TagListError) {
        let name = bytes[tag.name]
        var isNew = true
        if tags.count < TagListParser.hashedFrom {
            isNew = !tags.contains { bytes[$0.name] == name }
        } else {
            if seen.isEmpty { for earlier in tags { seen.insert(bytes[earlier.name]) } }
            isNew = seen.insert(name).inserted
        }
        guard isNew else {
            throw TagListError.duplicate(name: String(decoding: name, as: UTF8.self))
        }
    }
}
