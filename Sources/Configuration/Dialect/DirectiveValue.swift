/// A directive's value, read according to its kind.
enum DirectiveValue: Hashable, Sendable {
    case boolean(Bool)
    case integer(Int)
    case duration(seconds: Int)
    case text(String)
    case socket(SocketSpec)
    case user(UserSpec)
    case mask(UInt32)

    /// Why a text is not a value of its kind.
    struct Fault: Error {
        let message: String
        var suggestion: String?
        /// The bound that a number lies beyond.
        var bound: Int?
        /// Whether there is no number where one belongs.
        var isNoNumber = false
    }

    /// Reads a text; words come out in their canonical spelling.
    init(_ text: String, as kind: DirectiveSpec.Kind) throws(Fault) {
        switch kind {
        case .boolean:
            self = .boolean(try Self.boolean(text))
        case .integer(let range):
            guard let number = Int(text) else {
                throw Fault(message: "\"\(text)\" is not a whole number", isNoNumber: true)
            }
            guard range.contains(number) else {
                throw Fault(
                    message: "\(number) is out of range", suggestion: Self.bounds(range, unit: ""),
                    bound: Self.bound(range, nearest: number))
            }
            self = .integer(number)
        case .duration(let range):
            let seconds = try Self.seconds(text)
            guard range.contains(seconds) else {
                throw Fault(
                    message: "\(text) is out of range",
                    suggestion: Self.bounds(range, unit: " seconds"),
                    bound: Self.bound(range, nearest: seconds))
            }
            self = .duration(seconds: seconds)
        case .text, .dataSet:
            self = .text(text)
        case .word(let words):
            self = .text(try Self.word(text, of: words))
        case .path:
            guard text.hasPrefix("/") else {
                throw Fault(
                    message: "\"\(text)\" is not an absolute path",
                    suggestion: "a daemon has no directory of its own: begin with /")
            }
            self = .text(text)
        case .socket:
            do { self = .socket(try SocketSpec(text)) } catch {
                throw Fault(message: error.message, suggestion: error.suggestion)
            }
        case .user:
            guard let user = UserSpec(text) else {
                throw Fault(message: "\"\(text)\" is not a user or user:group")
            }
            self = .user(user)
        case .mask:
            guard let mask = UInt32(text, radix: 8), mask <= 0o777 else {
                throw Fault(
                    message: "\"\(text)\" is not an octal mask", suggestion: "write 007 or 002")
            }
            self = .mask(mask)
        }
    }

    private static func boolean(_ text: String) throws(Fault) -> Bool {
        switch text.lowercased() {
        case "yes", "true", "on", "1", "y", "t": return true
        case "no", "false", "off", "0", "n", "f": return false
        default:
            throw Fault(message: "\"\(text)\" is neither yes nor no", suggestion: "write yes or no")
        }
    }

    private static func seconds(_ text: String) throws(Fault) -> Int {
        var digits = text
        var unit = 1
        switch text.lowercased().last {
        case "s": digits.removeLast()
        case "m": (digits, unit) = (String(text.dropLast()), 60)
        case "h": (digits, unit) = (String(text.dropLast()), 3600)
        case "d": (digits, unit) = (String(text.dropLast()), 86_400)
        case "w": (digits, unit) = (String(text.dropLast()), 604_800)
        default: break
        }
        let fault = Fault(
            message: "\"\(text)\" is not a time", suggestion: "write seconds, or 10s, 5m, 1h, 7d",
            isNoNumber: true)
        guard let number = Int(digits), number >= 0 else { throw fault }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit)
        if overflow { throw fault }
        return seconds
    }

    private static func word(_ text: String, of words: [String]) throws(Fault) -> String {
        let wanted = text.lowercased()
        for word in words {
            let spellings = word.split(separator: "|")
            guard spellings.contains(where: { $0.lowercased() == wanted }) else { continue }
            return spellings.first.map(String.init) ?? text
        }
        let names = words.map { $0.split(separator: "|").first.map(String.init) ?? $0 }
        let choice = [names.dropLast().joined(separator: ", ")] + names.suffix(1)
        throw Fault(
            message: "\"\(text)\" is not one of its values",
            suggestion: "write " + choice.filter { !$0.isEmpty }.joined(separator: " or "))
    }

    private static func bound(_ range: ClosedRange<Int>, nearest number: Int) -> Int {
        min(max(number, range.lowerBound), range.upperBound)
    }

    private static func bounds(_ range: ClosedRange<Int>, unit: String) -> String {
        range.upperBound == .max
            ? "at least \(range.lowerBound)\(unit)"
            : "\(range.lowerBound) to \(range.upperBound)\(unit)"
    }
}
