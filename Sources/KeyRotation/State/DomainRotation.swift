package import MailSyntax

/// The state of a domain's keys, as it stands in the file `rotation` of the domain's folder.
///
/// A line a key: `key SELECTOR KIND STAGE made=… since=… until=… group=…`, and `fault SELECTOR …` with the
/// reason of what failed last; `#` begins a comment line. Trust: it is written by the command alone, and
/// what cannot be read is an error for a person to look at, never a guess.
package struct DomainRotation: Hashable, Sendable {
    /// The file's name.
    package static let fileName = "rotation"
    /// The longest file, in octets.
    package static let sizeLimit = 65_536
    /// The most keys, history included.
    package static let maximumKeys = 64
    /// How many withdrawn keys are remembered.
    package static let history = 8

    /// The keys, in the order in which they were made.
    package var keys: [ManagedKey]

    /// Why a file cannot be used.
    package struct Fault: Error, Hashable, CustomStringConvertible {
        /// What is wrong, with the line.
        package let description: String
    }

    /// A state with these keys.
    package init(keys: [ManagedKey] = []) {
        self.keys = keys
    }

    /// Reads a file's contents.
    package init(parsing octets: [UInt8]) throws(Fault) {
        var keys: [ManagedKey] = []
        let text = String(decoding: octets, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split(separator: " ", maxSplits: 2)
            if words.count == 3, words[0] == "fault" {
                for index in keys.indices where keys[index].selector.ascii == words[1] {
                    keys[index].fault = String(words[2])
                }
                continue
            }
            guard let key = Self.key(line), keys.count < Self.maximumKeys,
                !keys.contains(where: { $0.selector == key.selector })
            else { throw Fault(description: "line \(number + 1) cannot be read") }
            keys.append(key)
        }
        self.keys = keys
    }

    private static func key(_ line: Substring) -> ManagedKey? {
        let words = line.split(separator: " ")
        guard words.count >= 4, words[0] == "key",
            let selector = try? DomainName(words[1]), selector.isHostName,
            let kind = KeyKind(rawValue: String(words[2])),
            let stage = KeyStage(rawValue: String(words[3]))
        else { return nil }
        var numbers: [Substring: Int64] = [:]
        for word in words.dropFirst(4) {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let number = Int64(parts[1]), times.contains(number) else {
                return nil
            }
            numbers[parts[0]] = number
        }
        guard let made = numbers["made"], let since = numbers["since"],
            let group = numbers["group"]
        else { return nil }
        return ManagedKey(
            selector, kind, stage, made: made, since: since, until: numbers["until"], group: group)
    }

    /// The times that a state may hold: up to the year 9999, so that sums of them do not overflow.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799

    /// The file's contents.
    package var text: String {
        var text = "# The state of signet key rotate; to change it, use signet key.\n"
        for key in keys {
            text += "key \(key.selector.ascii) \(key.kind.rawValue) \(key.stage.rawValue)"
            text += " made=\(key.made) since=\(key.since)"
            if let until = key.until { text += " until=\(until)" }
            text += " group=\(key.group)\n"
            if let fault = key.fault {
                text += "fault \(key.selector.ascii) \(Self.oneLine(fault))\n"
            }
        }
        return text
    }

    /// A reason on one line of bounded length: hooks and servers may say anything.
    static func oneLine(_ text: String) -> String {
        let plain = text.unicodeScalars.prefix(500).map { scalar in
            scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value ? " " : String(scalar)
        }.joined()
        let trimmed = plain.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        return trimmed.isEmpty ? "unknown" : String(trimmed)
    }

    /// The keys that sign, in order.
    package var signing: [DomainName] {
        keys.filter { $0.stage == .signing }.map(\.selector)
    }

    /// The key of a selector.
    package subscript(_ selector: DomainName) -> ManagedKey? {
        keys.first { $0.selector == selector }
    }

    /// Changes the key of a selector; nothing where there is none.
    package mutating func change(_ selector: DomainName, _ body: (inout ManagedKey) -> Void) {
        guard let index = keys.firstIndex(where: { $0.selector == selector }) else { return }
        body(&keys[index])
    }

    /// Forgets the oldest of the withdrawn keys.
    package mutating func trimHistory() {
        let gone = keys.filter { $0.stage == .withdrawn }.dropLast(Self.history)
        keys.removeAll { key in gone.contains { $0.selector == key.selector } }
    }
}
