import Doctor
import Foundation
import Glibc

/// The questions to the host itself.
extension LiveHost {
    /// This host.
    static var running: RunningHost {
        RunningHost(
            unitState: { unitState($0) }, errorsLogged: { errorsLogged(by: $0) },
            room: { room(on: $0) }, isClockKept: { isClockKept },
            answerToRecipient: { SMTPQuestion.answer(toRecipient: $0) },
            now: { Int64(time(nil)) })
    }

    private static let systemctl = "/usr/bin/systemctl"

    private static func unitState(_ unit: String) -> String? {
        // Without systemd the command says "offline", or cannot be run.
        guard unsafe access("/run/systemd/system", F_OK) == 0 else { return nil }
        let words = output(of: [systemctl, "is-active", unit])?.text.split(separator: "\n")
        return words?.first.map(String.init)
    }

    // MARK: The journal

    /// How many of a service's last lines are looked at.
    private static let mostLines = 1_000

    private struct Entry: Decodable {
        enum CodingKeys: String, CodingKey {
            case priority = "PRIORITY"
            case message = "MESSAGE"
        }
        let priority: String?
        /// Not a string where it is not UTF-8; such a line is none of ours.
        let message: String?
    }

    /// The errors of a service since it started, or was last reloaded.
    private static func errorsLogged(by unit: String) -> [String]? {
        let run = output(of: [systemctl, "show", "--property", "InvocationID", "--value", unit])?
            .text.split(separator: "\n").first
        guard let run, !run.isEmpty else { return nil }
        let answer = output(of: [
            "/usr/bin/journalctl", "--quiet", "--no-pager", "--output", "json", "--output-fields",
            "PRIORITY,MESSAGE", "--lines", "\(mostLines)", "--unit", unit,
            "_SYSTEMD_INVOCATION_ID=\(run)",
        ])
        guard let answer, answer.status == 0 else { return nil }
        let decoder = JSONDecoder()
        let entries = answer.text.split(separator: "\n").compactMap {
            try? decoder.decode(Entry.self, from: Data($0.utf8))
        }
        let latest = entries.lastIndex { $0.message == "the configuration is reloaded" }
        return entries.dropFirst(latest.map { $0 + 1 } ?? 0)
            .filter { $0.priority.flatMap { Int($0) }.map { $0 <= LOG_ERR } ?? false }
            .compactMap(\.message)
    }

    // MARK: Disk and clock

    private static func room(on path: String) -> DiskRoom? {
        var (status, file) = (statvfs(), stat())
        guard unsafe statvfs(path, &status) == 0, unsafe stat(path, &file) == 0 else { return nil }
        let block = UInt64(status.f_frsize)
        return DiskRoom(
            device: UInt64(file.st_dev),
            free: UInt64(status.f_bavail).multipliedReportingOverflow(by: block).partialValue,
            size: UInt64(status.f_blocks).multipliedReportingOverflow(by: block).partialValue,
            freeFiles: status.f_files == 0 ? nil : UInt64(status.f_favail),
            files: UInt64(status.f_files))
    }

    /// Whether the kernel holds the clock to be synchronized, as systemd-timedated tells it.
    private static var isClockKept: Bool? {
        let answer = output(of: [
            "/usr/bin/timedatectl", "show", "--property", "NTPSynchronized", "--value",
        ])
        switch answer?.text.split(separator: "\n").first {
        case "yes": return true
        case "no": return false
        default: return nil
        }
    }
}
