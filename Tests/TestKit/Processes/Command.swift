internal import Foundation

/// A program that is run to its end.
public struct Command: Sendable {
    /// What a program left.
    public struct Result: Sendable {
        /// How it ended.
        public let end: ChildProcess.End
        /// What it wrote to standard output.
        public let octets: [UInt8]
        /// What it wrote to standard error.
        public let errors: String

        /// What it wrote to standard output, as text.
        public var output: String { String(decoding: octets, as: UTF8.self) }

        /// Whether it ended by itself with status 0.
        public var succeeded: Bool { end == .exited(0) }
    }

    /// Runs `executable` with `arguments` and `input` on its standard input.
    ///
    /// A name without a slash is looked for where Debian puts programs.
    public static func run(
        _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
        environment: [String: String]? = nil, seconds: Double = 60
    ) throws -> Result {
        // Files rather than pipes: nothing can fill up and block.
        let directory = try TemporaryDirectory("signet-run")
        let inputPath = try directory.write(input, to: "in")
        let stdin = unsafe open(inputPath, O_RDONLY | O_CLOEXEC)
        defer { close(stdin) }
        let process = try ChildProcess(
            try path(of: executable), arguments, environment: environment,
            descriptors: [
                .init(stdin, as: 0), .file(directory.file("out"), as: 1),
                .file(directory.file("err"), as: 2),
            ])
        let end = try process.waitForEnd(seconds: seconds)
        return Result(
            end: end, octets: try octets(directory.file("out")),
            errors: String(decoding: try octets(directory.file("err")), as: UTF8.self))
    }

    /// Runs a program that must succeed, and returns its standard output.
    @discardableResult
    public static func require(
        _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
        environment: [String: String]? = nil, seconds: Double = 60
    ) throws -> String {
        let result = try run(
            executable, arguments, input: input, environment: environment, seconds: seconds)
        guard result.succeeded else {
            throw TestKitError(
                "\(executable) \(arguments.joined(separator: " ")): \(result.end)\n"
                    + result.output + result.errors)
        }
        return result.output
    }

    /// The absolute path of the program `name`.
    public static func path(of name: String) throws -> String {
        if name.contains("/") { return name }
        for directory in ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"] {
            let path = "\(directory)/\(name)"
            if unsafe access(path, X_OK) == 0 { return path }
        }
        throw TestKitError("\(name) is not installed; Tests/run installs what the tests need")
    }

    private static func octets(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
