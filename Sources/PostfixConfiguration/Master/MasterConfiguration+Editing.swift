/// Edits that change what they name and keep every other octet.
extension MasterConfiguration {
    /// Sets a parameter of a service, as `postconf -P` does.
    ///
    /// It takes the place of the option that holds, or else a line of its own. Nothing happens where there is no such service.
    ///
    /// The value must not contain a line end, nor braces that are not balanced.
    package mutating func setOption(_ name: String, of key: String, to value: String) {
        guard let service = service(key), let place = place(of: key) else { return }
        if let index = service.options.lastIndex(where: { $0.name == name }) {
            replace(place.options[index], of: place, name: name, value: value)
        } else {
            add(Self.option(name, value), to: place)
        }
        read()
    }

    /// Takes each option for a parameter out of a service, as `postconf -PX` does.
    package mutating func removeOption(_ name: String, of key: String) {
        guard let service = service(key), let place = place(of: key) else { return }
        for (option, words) in zip(service.options, place.options).reversed()
        where option.name == name {
            for index in words.words.reversed() { removeWord(place.words[index], of: place.line) }
        }
        read()
    }

    /// Adds a service at the end, given as its lines.
    package mutating func append(_ lines: String) {
        octets.appendLine(lines)
        read()
    }

    /// Removes a service, as `postconf -MX` does.
    package mutating func remove(_ key: String) {
        guard let place = place(of: key) else { return }
        for piece in place.line.pieces.reversed() { octets.removeLine(piece.range) }
        read()
    }

    /// `-o name=value`, in braces where the value holds what would end it.
    private static func option(_ name: String, _ value: String) -> String {
        let needsBraces =
            value.utf8.contains(where: TextWords.separatesFields) || value.hasPrefix("{")
        return needsBraces ? "-o { \(name) = \(value) }" : "-o \(name)=\(value)"
    }

    private mutating func replace(
        _ option: (words: Range<Int>, value: Range<Int>, isAttached: Bool), of place: ServicePlace,
        name: String, value: String
    ) {
        let words = place.words[option.words]
        guard let first = words.first, let last = words.last,
            let start = place.line.position(of: first.lowerBound),
            let end = place.line.endPosition(of: last.upperBound), start <= end
        else { return }
        octets.replaceSubrange(start..<end, with: Array(Self.option(name, value).utf8))
    }

    private mutating func add(_ option: String, to place: ServicePlace) {
        let last = place.words[place.optionEnd - 1]
        let line = place.line
        guard let end = line.endPosition(of: last.upperBound),
            let piece = line.piece(at: last.upperBound - 1)
        else { return }
        // A word that follows on the same line must stay behind the option.
        let isEndOfLine = octets[end..<piece.range.upperBound].allSatisfy(
            TextWords.separatesFields)
        let text = isEndOfLine ? "\n  \(option)" : " \(option)"
        octets.insert(contentsOf: Array(text.utf8), at: isEndOfLine ? piece.range.upperBound : end)
    }

    /// Removes a word and the white space before it; a physical line of which nothing is left goes too.
    private mutating func removeWord(_ word: Range<Int>, of line: LogicalLine) {
        guard let piece = line.piece(at: word.lowerBound),
            let start = line.position(of: word.lowerBound),
            let end = line.endPosition(of: word.upperBound)
        else { return }
        let lineEnd = octets[end...].firstIndex(of: UInt8(ascii: "\n")) ?? octets.count
        let isAlone =
            octets[piece.range.lowerBound..<start].allSatisfy(isSpace)
            && octets[end..<lineEnd].allSatisfy(isSpace)
        if isAlone {
            octets.removeLine(piece.range.lowerBound..<lineEnd)
        } else {
            var begin = start
            while begin > piece.range.lowerBound, isSpace(octets[begin - 1]) { begin -= 1 }
            octets.removeSubrange(begin..<end)
        }
    }
}
