import Foundation
import Testing

/// A table of cases in a text file: blocks of lines between empty lines, "#" for comments.
enum Table {
    /// The blocks of a file in the folder Tables of an engine.
    static func blocks(_ name: String, of engine: String = "DKIM") throws -> [[String]] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("\(engine)/Tables/\(name)")
        let lines = try String(contentsOf: file, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("#") }
        return lines.split(separator: "").map { $0.map(String.init) }
    }

    /// The octets of a line: \r \n \t \0 \s stand for octets, "-" alone for nothing.
    static func octets(_ line: String) -> [UInt8] {
        guard line != "-" else { return [] }
        var octets: [UInt8] = []
        var isEscaped = false
        for octet in line.utf8 {
            if isEscaped {
                switch octet {
                case UInt8(ascii: "r"): octets.append(13)
                case UInt8(ascii: "n"): octets.append(10)
                case UInt8(ascii: "t"): octets.append(9)
                case UInt8(ascii: "s"): octets.append(32)
                case UInt8(ascii: "0"): octets.append(0)
                default: octets.append(octet)
                }
                isEscaped = false
            } else if octet == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                octets.append(octet)
            }
        }
        return octets
    }
}
