import Foundation
import TestKit

/// A block of the table of faults; `Faults/README` describes its form.
struct Fault: CustomStringConvertible, Sendable {
    /// What the doctor is to find.
    let id: String
    /// What has been broken.
    let description: String
    /// Whether nothing that it prints mends it by itself.
    let isMendedByHand: Bool
    /// What breaks it.
    let changes: [Change]

    /// One thing that is changed.
    enum Change: Sendable {
        case addRecord(String)
        case removeRecords(name: String, type: String)
        case replaceRecords(String)
        case addLine(String, file: String)
        case removeLine(String, file: String)
        case replace(String, with: String, file: String)
        case remove(String)
        case mode(String, UInt32)
        case host(String, String)
    }

    /// Reads the blocks of a text.
    static func table(_ text: String) throws -> [Fault] {
        var faults: [Fault] = []
        var head: (id: String, text: String)?
        var lines: [String] = []
        func close() throws {
            guard let head else { return }
            let changes = try lines.filter { $0 != "by hand" }.map { try change($0) }
            faults.append(
                Fault(
                    id: head.id, description: "\(head.id): \(head.text)",
                    isMendedByHand: lines.contains("by hand"), changes: changes))
        }
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                try close()
                let id = line[line.index(after: line.startIndex)..<end]
                head = (String(id), String(line[end...].dropFirst(2)))
                lines = []
            } else {
                lines.append(String(line))
            }
        }
        try close()
        return faults
    }

    private static func change(_ line: String) throws -> Change {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count == 3 else { throw TestKitError("\"\(line)\" is no change") }
        switch (words[0], words[1]) {
        case ("zone", "+"): return .addRecord(words[2])
        case ("zone", "="): return .replaceRecords(words[2])
        case ("zone", "-"):
            let parts = words[2].split(separator: " ").map(String.init)
            return .removeRecords(name: parts[0], type: parts[1])
        case ("host", let word): return .host(word, words[2])
        case ("file", let path):
            let parts = words[2].split(separator: " ", maxSplits: 1).map(String.init)
            let rest = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "+": return .addLine(rest, file: path)
            case "-": return .removeLine(rest, file: path)
            case "=":
                let texts = rest.components(separatedBy: " => ")
                return .replace(texts[0], with: texts.count == 2 ? texts[1] : "", file: path)
            case "remove": return .remove(path)
            case "mode":
                guard let mode = UInt32(rest, radix: 8) else { break }
                return .mode(path, mode)
            default: break
            }
        default: break
        }
        throw TestKitError("\"\(line)\" is no change")
    }
}
