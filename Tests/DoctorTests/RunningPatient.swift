import Doctor
import TestKit

/// What a patient that runs would answer: all is well, but for what the table's `host` lines say.
struct RunningPatient {
    /// The words of those lines.
    static let words: Set<String> = ["unit", "logged", "disk", "clock", "mailbox"]

    private var states: [String: String] = [:]
    private var errors: [String: String] = [:]
    private var rooms: [String: DiskRoom] = [:]
    private var isClockKept = true
    private var answer = SMTPAnswer(code: 250, text: "2.1.5 Ok")

    /// The time of day; the rows of the table that need one reckon from it.
    private static let now: Int64 = 1_795_860_000
    private static let gigabyte: UInt64 = 1_000_000_000

    /// Reads the lines, each a word and what follows it.
    init(_ lines: [(String, String)]) throws {
        for (word, value) in lines {
            let parts = value.split(separator: " ", maxSplits: 1).map(String.init)
            let rest = parts.count == 2 ? parts[1] : ""
            switch word {
            case "unit": states[parts[0]] = rest
            case "logged": errors[parts[0]] = rest
            case "disk":
                let device = UInt64(rooms.count + 1)
                rooms[parts[0]] = try Self.room(rest, device)
            case "clock": isClockKept = value == "kept"
            case "mailbox": answer = SMTPAnswer(code: Int(parts[0]) ?? 0, text: rest)
            default: break
            }
        }
    }

    /// `MEGABYTES MB` of ten gigabytes, or `NUMBER files` of a million.
    private static func room(_ text: String, _ device: UInt64) throws -> DiskRoom {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let number = UInt64(parts[0]) else { throw TestKitError(text) }
        return parts[1] == "files"
            ? DiskRoom(
                device: device, free: 5 * gigabyte, size: 10 * gigabyte, freeFiles: number,
                files: 1_000_000)
            : DiskRoom(
                device: device, free: number * 1_000_000, size: 10 * gigabyte, freeFiles: nil,
                files: 0)
    }

    /// The answers.
    var host: RunningHost {
        let healthy = DiskRoom(
            device: 0, free: 5 * Self.gigabyte, size: 10 * Self.gigabyte, freeFiles: nil, files: 0)
        return RunningHost(
            unitState: { [states] in states[$0] ?? "active" },
            errorsLogged: { [errors] in errors[$0].map { [$0] } ?? [] },
            room: { [rooms] in rooms[$0] ?? healthy },
            isClockKept: { [isClockKept] in isClockKept },
            answerToRecipient: { [answer] _ in answer }, now: { Self.now })
    }
}
