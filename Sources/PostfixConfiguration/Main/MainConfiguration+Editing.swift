/// Edits that change what they name and keep every other octet.
extension MainConfiguration {
    /// Sets a parameter, as `postconf -e` does: in the place of each setting there is, or else at the end.
    ///
    /// The value must not contain a line end. Comments between a replaced setting's lines stay.
    package mutating func set(_ name: String, to value: String) {
        let old = zip(settings, places).filter { $0.0.name == name }.map(\.1.line)
        guard !old.isEmpty else { return appendLine("\(name) = \(value)") }
        // From the end, so that what is still to be changed keeps its place.
        for line in old.reversed() {
            for piece in line.pieces.dropFirst().reversed() { removeLine(piece.range) }
            guard let first = line.pieces.first else { continue }
            octets.replaceSubrange(first.range, with: Array("\(name) = \(value)".utf8))
        }
        read()
    }

    /// Removes each setting of a parameter, as `postconf -X` does.
    package mutating func remove(_ name: String) {
        let old = zip(settings, places).filter { $0.0.name == name }.map(\.1.line)
        for piece in old.flatMap(\.pieces).reversed() { removeLine(piece.range) }
        read()
    }

    /// The items of the list that holds, as they are written.
    package func items(of name: String) -> [String] {
        guard let place = place(of: name) else { return [] }
        return itemRanges(of: place).map { TextWords.string(place.line.text, $0) }
    }

    /// Adds an item to the list that holds, before another of its items or else at its end.
    ///
    /// A list that main.cf does not set is made. An item that is there already is not added.
    package mutating func insert(_ item: String, into name: String, before next: String? = nil) {
        let items = items(of: name)
        guard !items.contains(item) else { return }
        insert(item, into: name, at: next.flatMap(items.firstIndex) ?? items.endIndex)
    }

    /// Adds an item to the list that holds, before the item that has the index; one beyond the last means the end.
    package mutating func insert(_ item: String, into name: String, at index: Int) {
        guard let place = place(of: name) else { return appendLine("\(name) = \(item)") }
        let ranges = itemRanges(of: place)
        if ranges.indices.contains(index),
            let start = place.line.position(of: ranges[index].lowerBound)
        {
            octets.insert(contentsOf: Array("\(item), ".utf8), at: start)
        } else if let last = ranges.last, let end = place.line.endPosition(of: last.upperBound) {
            // A comma may stand there already.
            let comma = place.value.upperBound > last.upperBound
            let position = comma ? place.line.endPosition(of: place.value.upperBound) ?? end : end
            octets.insert(contentsOf: Array("\(comma ? "" : ",") \(item)".utf8), at: position)
        } else if let end = place.line.endPosition(of: place.value.upperBound) {
            octets.insert(contentsOf: Array(" \(item)".utf8), at: end)
        }
        read()
    }

    /// Puts an item in the place of another of the list that holds.
    package mutating func replace(_ item: String, with new: String, in name: String) {
        guard let place = place(of: name) else { return }
        for range in itemRanges(of: place).reversed()
        where TextWords.string(place.line.text, range) == item {
            guard let start = place.line.position(of: range.lowerBound),
                let end = place.line.endPosition(of: range.upperBound), start <= end
            else { continue }
            octets.replaceSubrange(start..<end, with: Array(new.utf8))
        }
        read()
    }

    /// Takes an item out of the list that holds, with the separators that it leaves.
    ///
    /// A physical line of which nothing is left goes too. The list itself stays, if need be empty.
    package mutating func removeItem(_ item: String, from name: String) {
        while let place = place(of: name) {
            let ranges = itemRanges(of: place)
            let names = ranges.map { TextWords.string(place.line.text, $0) }
            guard let index = names.firstIndex(of: item) else { return }
            remove(ranges[index], of: place)
            read()
        }
    }

    private mutating func remove(_ item: Range<Int>, of place: Place) {
        let (line, text) = (place.line, place.line.text)
        guard let piece = line.piece(at: item.lowerBound) else { return }
        let pieceEnd = min(piece.start + piece.range.count, text.count)
        var (start, end) = (item.lowerBound, min(item.upperBound, pieceEnd))
        while end < pieceEnd, TextWords.separatesItems(text[end]) { end += 1 }
        let floor = max(piece.start, place.value.lowerBound)
        if end == pieceEnd {
            while start > floor, TextWords.separatesItems(text[start - 1]) { start -= 1 }
            if start == place.value.lowerBound {
                while start > piece.start, isSpace(text[start - 1]) { start -= 1 }
            }
        }
        if start == piece.start, end == pieceEnd, piece.start > 0 {
            removeLine(piece.range)
        } else if let position = line.position(of: start) {
            octets.removeSubrange(position..<(position + end - start))
        }
    }

    private func itemRanges(of place: Place) -> [Range<Int>] {
        TextWords.ranges(
            in: place.line.text, place.value, separates: TextWords.separatesItems)
    }

    /// Adds a line at the end of the file, after ending the last one.
    package mutating func appendLine(_ line: String) {
        octets.appendLine(line)
        read()
    }

    private mutating func removeLine(_ range: Range<Int>) { octets.removeLine(range) }
}

extension [UInt8] {
    /// Adds a line at the end, after ending the last one.
    mutating func appendLine(_ line: String) {
        if let last, last != UInt8(ascii: "\n") { append(UInt8(ascii: "\n")) }
        append(contentsOf: Array("\(line)\n".utf8))
    }

    /// Removes a physical line with its line end.
    mutating func removeLine(_ range: Range<Int>) {
        let end = range.upperBound < count ? range.upperBound + 1 : range.upperBound
        removeSubrange(range.lowerBound..<end)
    }
}
