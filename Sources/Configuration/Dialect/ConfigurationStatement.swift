/// One `Directive value` of a configuration, as written.
public struct ConfigurationStatement: Hashable, Sendable {
    /// The directive's name as written.
    public let name: String
    /// The value without outer white space; empty when there is none.
    public let value: String
    /// Where it stands.
    public let location: SourceLocation
    /// Where its value begins.
    public let valueLocation: SourceLocation

    /// Makes a statement that stands in no file, such as an option's.
    public init(_ name: String, _ value: String, at location: SourceLocation) {
        self.name = name
        self.value = value
        self.location = location
        valueLocation = location
    }

    /// Takes a line apart; nil when it does not begin with a directive's name.
    ///
    /// All the peers' forms are read: `Name value`, `Name = value`, `Name=value` and `Name: value`. A colon that follows white
    /// space separates only when white space follows it too, so that `Nameservers ::1` keeps its address.
    init?(line: TextLine, file: String) {
        let bytes = Array(line.text.utf8)
        var index = bytes.firstIndex { !Self.isNameByte($0) } ?? bytes.count
        guard index > 0 else { return nil }
        name = String(decoding: bytes[..<index], as: UTF8.self)
        let nameEnd = index
        while index < bytes.count, TextLines.isBlank(bytes[index]) { index += 1 }
        if index < bytes.count {
            let follows = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: " ")
            switch bytes[index] {
            case UInt8(ascii: "="):
                index += 1
            case UInt8(ascii: ":") where index == nameEnd || TextLines.isBlank(follows):
                index += 1
            default:
                guard index > nameEnd else { return nil }
            }
        }
        while index < bytes.count, TextLines.isBlank(bytes[index]) { index += 1 }
        value = String(decoding: bytes[index...], as: UTF8.self).trimmingBlanks()
        location = SourceLocation(file: file, line: line.number, column: line.column)
        valueLocation = SourceLocation(
            file: file, line: line.number, column: line.column + index)
    }

    /// Letters, digits, hyphen and underscore: what the peers' names consist of.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}
