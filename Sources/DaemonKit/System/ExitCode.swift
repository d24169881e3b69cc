/// How a program says what became of it (sysexits.h).
public struct ExitCode: RawRepresentable, Hashable, Sendable {
    /// The status that the parent sees.
    public let rawValue: Int32

    /// Any status, for programs whose answers are statuses.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// All went well; for a daemon: it was asked to stop and did.
    public static let ok = ExitCode(rawValue: 0)
    /// The command line is wrong.
    public static let usage = ExitCode(rawValue: 64)
    /// The input is wrong.
    public static let dataError = ExitCode(rawValue: 65)
    /// The input cannot be read.
    public static let noInput = ExitCode(rawValue: 66)
    /// A service that is needed is not there.
    public static let unavailable = ExitCode(rawValue: 69)
    /// We made a mistake.
    public static let software = ExitCode(rawValue: 70)
    /// The system refused something that it should not refuse.
    public static let systemError = ExitCode(rawValue: 71)
    /// A file that is needed cannot be made.
    public static let cannotCreate = ExitCode(rawValue: 73)
    /// Input or output failed.
    public static let ioError = ExitCode(rawValue: 74)
    /// Trying again later may help.
    public static let tempFail = ExitCode(rawValue: 75)
    /// The permissions do not suffice.
    public static let noPermission = ExitCode(rawValue: 77)
    /// The configuration is wrong.
    public static let configuration = ExitCode(rawValue: 78)
}

/// Why a daemon cannot go on: words for the log, and the status to exit with.
public struct Failure: Error, Hashable, Sendable {
    /// The status to exit with.
    public let exitCode: ExitCode
    /// What is wrong and what to do about it.
    public let message: String

    /// Makes a reason to stop.
    public init(_ exitCode: ExitCode, _ message: String) {
        self.exitCode = exitCode
        self.message = message
    }
}
