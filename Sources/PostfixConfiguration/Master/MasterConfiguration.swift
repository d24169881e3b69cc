/// master.cf as Postfix reads it (master(5)), and its octets as they are.
///
/// Trust: the file is the postmaster's, yet may be anything: every octet has a defined meaning or a fault.
package struct MasterConfiguration: Sendable {
    /// The file.
    package internal(set) var octets: [UInt8]
    /// The services in the file's order.
    package private(set) var services: [MasterService] = []
    /// What Postfix refuses.
    package private(set) var faults: [PostfixFault] = []

    /// Where each service stands; as `services`.
    private(set) var places: [ServicePlace] = []

    /// Reads a file.
    package init(_ octets: [UInt8]) {
        self.octets = octets
        read()
    }

    /// A service by its key, `NAME/TYPE`.
    package func service(_ key: String) -> MasterService? { services.first { $0.key == key } }

    /// The services that run a program.
    package func services(running command: String) -> [MasterService] {
        services.filter { $0.command == command }
    }

    func place(of key: String) -> ServicePlace? {
        services.firstIndex { $0.key == key }.map { places[$0] }
    }

    /// Reads the octets anew.
    mutating func read() {
        (services, places, faults) = ([], [], [])
        for line in LogicalLine.all(in: octets) {
            let words = TextWords.ranges(
                in: line.text, 0..<line.text.count, separates: TextWords.separatesFields)
            guard words.count >= 8 else {
                faults.append(
                    PostfixFault(
                        line: line.number,
                        message: "\(words.count) fields where a service has at least 8",
                        isFatal: true))
                continue
            }
            add(line, words)
        }
    }

    private mutating func add(_ line: LogicalLine, _ words: [Range<Int>]) {
        let text = line.text
        let fields = words.map { TextWords.string(text, $0) }
        let scan = Self.options(text, words)
        let options = scan.options.map { option in
            let name = TextWords.trimmed(text, option.name)
            return MasterService.Option(
                name: TextWords.string(text, name), value: TextWords.string(text, option.value),
                line: line.piece(at: name.lowerBound)?.number ?? line.number)
        }
        services.append(
            MasterService(
                name: fields[0], type: fields[1], columns: Array(fields[2..<7]), command: fields[7],
                arguments: words.dropFirst(8).map {
                    TextWords.string(text, TextWords.withoutBraces(text, $0))
                }, options: options, line: line.number))
        places.append(
            ServicePlace(
                line: line, words: words,
                options: scan.options.map { ($0.words, $0.value, $0.isAttached) },
                optionEnd: scan.end))
    }

    private typealias FoundOption = (
        words: Range<Int>, name: Range<Int>, value: Range<Int>, isAttached: Bool
    )

    /// The `-o` options among the words, as getopt(3) finds them: up to the first word that is no option, such as
    /// `flags=` of pipe(8).
    private static func options(
        _ text: [UInt8], _ words: [Range<Int>]
    ) -> (options: [FoundOption], end: Int) {
        var found: [FoundOption] = []
        var index = 8
        while index < words.count, text[words[index].lowerBound] == UInt8(ascii: "-") {
            let word = words[index]
            let isOption = word.count >= 2 && text[word.lowerBound + 1] == UInt8(ascii: "o")
            guard isOption else {
                index += 1
                continue
            }
            let isAttached = word.count > 2
            guard isAttached || index + 1 < words.count else { return (found, index) }
            let assignment =
                isAttached
                ? TextWords.withoutBraces(text, (word.lowerBound + 2)..<word.upperBound)
                : TextWords.withoutBraces(text, words[index + 1])
            let end = index + (isAttached ? 1 : 2)
            if let equals = text[assignment].firstIndex(of: UInt8(ascii: "=")) {
                let value = TextWords.trimmed(text, (equals + 1)..<assignment.upperBound)
                found.append(
                    (index..<end, assignment.lowerBound..<equals, value, isAttached))
            }
            index = end
        }
        return (found, index)
    }
}
