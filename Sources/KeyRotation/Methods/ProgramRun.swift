internal import CLinux
internal import Glibc
internal import Threads

/// A program that is run with a time limit and as little as it needs: no shell, an environment of two variables at most, nothing open
/// but its standard streams.
struct ProgramRun {
    /// Its path.
    let path: String
    /// Its arguments.
    let arguments: [String]
    /// What it reads from standard input.
    var input = ""
    /// How long it may take, in seconds.
    let seconds: Double

    /// How much of what a program says is kept, in octets; the rest is read and forgotten.
    private static let outputLimit = 8192

    /// Runs it to its end, and returns what it said.
    ///
    /// A program that takes too long is killed, with all that it started.
    func run() throws(MethodFailure) -> String {
        guard unsafe access(path, X_OK) == 0 else { throw failure("cannot be run", errno) }
        let pipe = Pipe()
        let source = unsafe signet_memory_file("signet-input")
        guard let pipe, source >= 0 else { throw failure("cannot be started", errno) }
        defer { close(source) }
        let octets = Array(input.utf8)
        let written = unsafe Glibc.write(source, octets, octets.count)
        guard written == octets.count, lseek(source, 0, SEEK_SET) == 0 else {
            throw failure("cannot be started", errno)
        }
        let (child, status) = start(input: source, output: pipe.writing)
        pipe.closeWriting()
        guard status == 0 else { throw failure("cannot be started", status) }
        return try finish(child, pipe.reading)
    }

    private func start(input: Int32, output: Int32) -> (child: pid_t, status: Int32) {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return (0, ENOMEM) }
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        guard unsafe posix_spawnattr_init(&attributes) == 0 else { return (0, ENOMEM) }
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A process group of its own, so that a kill reaches its children too.
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var settings = unsafe Self.environment.map { unsafe strdup($0) } + [nil]
        defer { unsafe settings.forEach { unsafe free($0) } }
        var child = pid_t()
        let status = unsafe posix_spawn(&child, path, &actions, &attributes, &words, &settings)
        return (child, status)
    }

    /// Where programs are, and where systemd has put credentials for the unit (systemd.exec(5), LoadCredential=).
    private static var environment: [String] {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        guard let folder = unsafe getenv("CREDENTIALS_DIRECTORY") else { return [path] }
        return [path, "CREDENTIALS_DIRECTORY=\(unsafe String(cString: folder))"]
    }

    private func finish(_ child: pid_t, _ output: Int32) throws(MethodFailure) -> String {
        var said: [UInt8] = []
        var status: Int32 = 0
        let deadline = MonotonicTime.now() + seconds
        while unsafe waitpid(child, &status, WNOHANG) == 0 {
            guard MonotonicTime.now() < deadline else {
                kill(-child, SIGKILL)
                unsafe waitpid(child, &status, 0)
                throw MethodFailure("\(path) did not end within \(Int(seconds)) seconds")
            }
            if !Self.drain(output, into: &said, milliseconds: Int32(Self.step)) {
                usleep(useconds_t(Self.step) * 1000)
            }
        }
        // What it has said last; a child that it left behind may go on for ever.
        while said.count < Self.outputLimit, MonotonicTime.now() < deadline,
            Self.drain(output, into: &said, milliseconds: 0)
        {}
        let text = String(decoding: said, as: UTF8.self)
        let detail = said.isEmpty ? "" : ": \(DomainRotation.oneLine(text))"
        // WIFEXITED and WEXITSTATUS are macros.
        guard status & 0x7F == 0 else { throw MethodFailure("\(path) was killed\(detail)") }
        let code = status >> 8 & 0xFF
        guard code == 0 else { throw MethodFailure("\(path) ended with status \(code)\(detail)") }
        return text
    }

    private static let step = 20

    /// Reads what is there; false where there is nothing more to come.
    private static func drain(
        _ output: Int32, into said: inout [UInt8], milliseconds: Int32
    ) -> Bool {
        var polled = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&polled, 1, milliseconds) > 0 else { return milliseconds > 0 }
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(output, &chunk, chunk.count)
        guard count > 0 else { return false }
        said += chunk.prefix(min(count, max(0, outputLimit - said.count)))
        return true
    }

    private func failure(_ what: String, _ code: Int32) -> MethodFailure {
        MethodFailure("\(path) \(what): \(unsafe String(cString: strerror(code)))")
    }
}

/// A pipe that closes itself.
private final class Pipe {
    let reading: Int32
    private(set) var writing: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        // The child gets copies of its own; no other program is started meanwhile.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = ends[0]
        writing = ends[1]
    }

    func closeWriting() {
        close(writing)
        writing = -1
    }

    deinit {
        close(reading)
        if writing >= 0 { close(writing) }
    }
}
