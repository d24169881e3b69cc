/// A parameter as a line of main.cf sets it.
package struct ParameterSetting: Hashable, Sendable {
    /// The parameter.
    package let name: String
    /// The value as written: lines joined, outer white space gone, references not expanded.
    package let value: String
    /// The number of the line that the setting begins on, from 1.
    package let line: Int
}

/// What Postfix refuses in main.cf or master.cf, or reads in another way than it looks.
package struct PostfixFault: Hashable, Sendable {
    /// The number of the line, from 1.
    package let line: Int
    /// What is wrong.
    package let message: String
    /// Whether Postfix's programs end because of it; otherwise they warn and ignore the line.
    package let isFatal: Bool
}

/// main.cf as Postfix reads it (postconf(5)), and its octets as they are.
///
/// Trust: the file is the postmaster's, yet may be anything: every octet has a defined meaning or a fault.
package struct MainConfiguration: Sendable {
    /// The file.
    package internal(set) var octets: [UInt8]
    /// The settings in the file's order; of several for one name the last holds.
    package private(set) var settings: [ParameterSetting] = []
    /// What Postfix complains of, except a parameter that is set twice.
    package private(set) var faults: [PostfixFault] = []

    /// Where the parts of each setting are; as `settings`.
    private(set) var places: [Place] = []

    /// Where a setting stands.
    struct Place: Sendable {
        let line: LogicalLine
        /// The value in the line's text.
        let value: Range<Int>
    }

    /// Reads a file.
    package init(_ octets: [UInt8]) {
        self.octets = octets
        read()
    }

    /// The setting that holds; nil where main.cf does not set the parameter.
    package func setting(_ name: String) -> ParameterSetting? {
        settings.last { $0.name == name }
    }

    /// The settings that a later one has replaced, in the file's order.
    package func replaced(_ name: String) -> [ParameterSetting] {
        Array(settings.filter { $0.name == name }.dropLast())
    }

    /// The parameters that are set more than once, in the file's order.
    package var namesSetTwice: [String] {
        var seen: [String: Int] = [:]
        return settings.compactMap {
            seen[$0.name, default: 0] += 1
            return seen[$0.name] == 2 ? $0.name : nil
        }
    }

    /// The place of the setting that holds.
    func place(of name: String) -> Place? {
        settings.lastIndex { $0.name == name }.map { places[$0] }
    }

    /// Reads the octets anew.
    mutating func read() {
        (settings, places, faults) = ([], [], [])
        for line in LogicalLine.all(in: octets) {
            if line.beginsWithSpace {
                faults.append(
                    PostfixFault(
                        line: line.number,
                        message: "begins with white space and continues no line: ignored",
                        isFatal: false))
            } else {
                read(line)
            }
        }
    }

    /// Reads `name = value` (split_nameval()).
    private mutating func read(_ line: LogicalLine) {
        let text = line.text
        let nameEnd = text.firstIndex { isSpace($0) || $0 == UInt8(ascii: "=") } ?? text.count
        let equals = text[nameEnd...].firstIndex { !isSpace($0) }
        guard nameEnd > 0 else {
            return refuse(line, "an attribute name is missing before \"=\"")
        }
        guard let equals, text[equals] == UInt8(ascii: "=") else {
            return refuse(
                line, "\"=\" is missing after \"\(TextWords.string(text, 0..<nameEnd))\"")
        }
        let value = TextWords.trimmed(text, (equals + 1)..<text.count)
        settings.append(
            ParameterSetting(
                name: TextWords.string(text, 0..<nameEnd), value: TextWords.string(text, value),
                line: line.number))
        places.append(Place(line: line, value: value))
    }

    private mutating func refuse(_ line: LogicalLine, _ message: String) {
        faults.append(PostfixFault(line: line.number, message: message, isFatal: true))
    }
}
