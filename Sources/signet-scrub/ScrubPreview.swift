import DaemonKit
import Glibc
import HeaderScrub
import MailSyntax

/// Shows for `-t` what would become of messages in files, as if one of our users had submitted them.
struct ScrubPreview {
    /// What is wanted.
    let policy: ScrubPolicy
    /// Where lines about unreadable files go.
    let log: Log

    /// Evaluates one file, and writes a line for each field.
    ///
    /// - Parameter path: the file, or `-` for standard input.
    /// - Returns: `ok`, or `noInput` where the file cannot be read.
    func evaluate(_ path: String) -> ExitCode {
        let header: HeaderSection
        do {
            let contents = try MessageInput.read(path)
            header = try HeaderSection.split(message: contents, limits: ScrubSession.limits).header
        } catch {
            log.error("\(path) \(error)")
            return .noInput
        }
        let plan = ScrubPlan(
            header, policy: policy, mtaName: HostName.current, queueID: nil,
            now: Int64(time(nil)))
        for line in ScrubListing(plan, of: header).lines { MessageInput.say(line.text) }
        return .ok
    }
}
