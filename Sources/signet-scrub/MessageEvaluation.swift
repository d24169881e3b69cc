import DaemonKit
import Glibc
import HeaderScrub
import MailSyntax

/// Shows for `-t` what would become of messages in files, as if one of our users had submitted them.
struct MessageEvaluation {
    /// What is wanted.
    let policy: ScrubPolicy
    /// Where lines about unreadable files go.
    let log: Log

    /// Evaluates one file, and writes a line for each field.
    ///
    /// - Parameter path: the file, or `-` for standard input.
    /// - Returns: `ok`, or `noInput` where the file cannot be read.
    func evaluate(_ path: String) -> ExitCode {
        guard let contents = MessageInput.read(path, limit: ScrubSession.limits.bytes * 16),
            let split = try? HeaderSection.split(message: contents, limits: ScrubSession.limits)
        else {
            log.error("\(path) cannot be read as a message")
            return .noInput
        }
        let plan = ScrubPlan(
            split.header, policy: policy, mtaName: HostName.current, queueID: nil,
            now: Int64(time(nil)))
        for line in ScrubListing(plan, of: split.header).lines { MessageInput.say(line.text) }
        return .ok
    }
}
