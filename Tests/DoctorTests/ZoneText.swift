import MailDNS
import MailSyntax
import TestKit

/// Records as the tables of these tests write them: `NAME [IN] TYPE DATA`, with full names.
enum ZoneText {
    /// The records of a text; `;` begins a comment.
    static func records(_ text: String) throws -> [ZoneRecord] {
        try text.split(separator: "\n").filter { !$0.hasPrefix(";") }.map { try record(String($0)) }
    }

    /// The record of a line.
    static func record(_ line: String) throws -> ZoneRecord {
        let words = try words(line)
        let data = words.dropFirst(words.count > 1 && words[1] == "IN" ? 2 : 1).map { $0 }
        guard let owner = words.first, let type = data.first, data.count > 1 else {
            throw TestKitError("\"\(line)\" is no record")
        }
        let name = try name(owner)
        func address() throws -> DNSRecord {
            guard let address = IPAddress(data[1]) else { throw TestKitError(line) }
            return .address(address)
        }
        switch type {
        case "A": return ZoneRecord(name, .a, try address())
        case "AAAA": return ZoneRecord(name, .aaaa, try address())
        case "NS": return ZoneRecord(name, .ns, .name(try self.name(data[1])))
        case "PTR": return ZoneRecord(name, .ptr, .name(try self.name(data[1])))
        case "CNAME": return ZoneRecord(name, .cname, .name(try self.name(data[1])))
        case "MX":
            guard let preference = UInt16(data[1]), data.count == 3 else {
                throw TestKitError(line)
            }
            return ZoneRecord(
                name, .mx, .mx(preference: preference, exchange: try self.name(data[2])))
        case "SRV":
            let numbers = data.dropFirst().prefix(3).compactMap { UInt16($0) }
            guard numbers.count == 3, data.count == 5 else { throw TestKitError(line) }
            return ZoneRecord(
                name, .srv,
                .srv(
                    priority: numbers[0], weight: numbers[1], port: numbers[2],
                    target: try self.name(data[4])))
        case "TXT":
            let strings = data.dropFirst().flatMap { text -> [[UInt8]] in
                // Keys are longer than a string may be.
                var rest = Array(text.utf8)[...]
                var strings: [[UInt8]] = []
                repeat {
                    strings.append(Array(rest.prefix(255)))
                    rest = rest.dropFirst(255)
                } while !rest.isEmpty
                return strings
            }
            return ZoneRecord(name, .txt, .text(strings))
        default: throw TestKitError("\"\(type)\" is no type")
        }
    }

    /// A full name.
    static func name(_ text: String) throws -> DomainName {
        text == "." ? .root : try DomainName(text.hasSuffix(".") ? text.dropLast() : text[...])
    }

    /// Words between blanks; quotes keep them together, and a backslash its next character.
    private static func words(_ line: String) throws -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var isEscaped = false
        for character in line {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
                word = word ?? ""
            } else if character == " ", !isQuoted {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }
}
