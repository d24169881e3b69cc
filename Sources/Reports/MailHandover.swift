internal import CLinux
internal import Glibc

/// What takes mail over: sendmail(1), or a test's sink.
public protocol MailHandover {
    /// Hands a mail over.
    ///
    /// - Parameters:
    ///   - mail: the mail, with line feeds at the ends of lines.
    ///   - sender: the envelope's sender.
    ///   - recipient: the envelope's recipient.
    /// - Returns: what came of it.
    /// - Throws: where no mail at all can be handed over.
    func send(
        _ mail: String, from sender: String, to recipient: String
    ) throws(ReportError) -> HandoverOutcome
}

/// What came of handing a mail over.
public enum HandoverOutcome: Hashable, Sendable {
    /// It was taken.
    case taken
    /// Not now; the words say why.
    case later(String)
    /// Never; the words say why.
    case never(String)
}

/// Postfix's sendmail(1), or another program with its arguments and exit statuses.
public struct SendmailProgram: MailHandover {
    private let path: String

    /// How long the program may take, in seconds.
    private static let timeLimit = 300
    /// How often it is tried to start while its file is written to.
    private static let startAttempts = 20
    /// How much of what it says is kept, in octets.
    private static let wordsLimit = 400

    /// The program at this path.
    public init(path: String = "/usr/sbin/sendmail") { self.path = path }

    /// Runs the program with the mail on its standard input.
    public func send(
        _ mail: String, from sender: String, to recipient: String
    ) throws(ReportError) -> HandoverOutcome {
        guard unsafe access(path, X_OK) == 0 else {
            throw unsafe ReportError("\(path) cannot be run: \(String(cString: strerror(errno)))")
        }
        guard let input = TemporaryFile(), let words = TemporaryFile(), input.write(mail) else {
            throw unsafe ReportError(
                "no temporary file for the mail: \(String(cString: strerror(errno)))")
        }
        // After "--" nothing is an option, whatever a stranger's address begins with.
        let arguments = [path, "-i", "-f", sender, "--", recipient]
        var (child, status) = Self.start(arguments, input: input, words: words)
        // Somebody is just writing it, as an upgrade does.
        for _ in 0..<Self.startAttempts where status == ETXTBSY {
            usleep(20_000)
            (child, status) = Self.start(arguments, input: input, words: words)
        }
        guard status == 0 else {
            let reason = unsafe String(cString: strerror(status))
            return .later("\(path) could not be started: \(reason)")
        }
        guard let end = Self.wait(for: child) else {
            return .later("\(path) did not end within \(Self.timeLimit) seconds")
        }
        let said = words.beginning(Self.wordsLimit)
        let detail = said.isEmpty ? "" : ": \(said)"
        // WIFEXITED and WEXITSTATUS are macros.
        guard end & 0x7F == 0 else { return .later("\(path) was killed\(detail)") }
        switch end >> 8 & 0xFF {
        case 0: return .taken
        // EX_USAGE, EX_DATAERR, EX_NOUSER and EX_NOHOST are about this mail.
        case let code where [64, 65, 67, 68].contains(code):
            return .never("\(path) ended with status \(code)\(detail)")
        case let code: return .later("\(path) ended with status \(code)\(detail)")
        }
    }

    private static func start(
        _ arguments: [String], input: borrowing TemporaryFile, words: borrowing TemporaryFile
    ) -> (child: pid_t, status: Int32) {
        var actions = unsafe posix_spawn_file_actions_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return (0, ENOMEM) }
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input.descriptor, STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, words.descriptor, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, words.descriptor, STDERR_FILENO)
        var texts = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe texts.forEach { unsafe free($0) } }
        var child = pid_t()
        let status = unsafe posix_spawn(&child, arguments[0], &actions, nil, &texts, environ)
        return (child, status)
    }

    /// Waits for the end of a child; nil, and the child is killed, where that takes too long.
    private static func wait(for child: pid_t) -> Int32? {
        var status: Int32 = 0
        var pause: useconds_t = 500
        var waited = 0
        while unsafe waitpid(child, &status, WNOHANG) == 0 {
            guard waited < timeLimit * 1_000_000 else {
                kill(child, SIGKILL)
                unsafe waitpid(child, &status, 0)
                return nil
            }
            usleep(pause)
            waited += Int(pause)
            pause = min(pause * 2, 50_000)
        }
        return status
    }
}

/// A file without a name.
private struct TemporaryFile: ~Copyable {
    let descriptor: Int32

    /// Makes one; nil where that is not possible.
    init?() {
        descriptor = unsafe signet_memory_file("signet-report")
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Writes all of a text, and goes back to the beginning.
    func write(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return lseek(descriptor, 0, SEEK_SET) == 0
    }

    /// What it begins with, in one line.
    func beginning(_ limit: Int) -> String {
        var octets = [UInt8](repeating: 0, count: limit)
        let count = unsafe octets.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
        }
        let lines = octets.prefix(max(0, count)).split(separator: UInt8(ascii: "\n"))
        return lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }
}
