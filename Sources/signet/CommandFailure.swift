import DaemonKit

/// Why a command cannot do what it was asked: words for standard error, and the status to exit with.
struct CommandFailure: Error, CustomStringConvertible {
    /// The status to exit with.
    let status: DaemonKit.ExitCode
    /// What is wrong.
    let description: String

    /// Makes a reason to stop.
    init(_ status: DaemonKit.ExitCode, _ description: String) {
        self.status = status
        self.description = description
    }
}
