internal import Foundation
public import Glibc
import Synchronization

/// A program that runs beside the tests, in a session of its own.
///
/// The session makes the process a group leader, so that ending the group ends its children too.
/// The group is killed when the owner goes, and by the ``Janitor`` if the tests die first.
public final class ChildProcess: Sendable {
    /// How a process ended.
    public enum End: Sendable, Equatable {
        /// It ended by itself with this status.
        case exited(Int32)
        /// This signal ended it.
        case signalled(Int32)
    }

    /// A descriptor that the program finds open at a number.
    public struct Descriptor: Sendable {
        enum Source: Sendable {
            case descriptor(Int32)
            case null
            case file(String)
        }
        let source: Source
        let target: Int32

        /// The open descriptor `descriptor`, seen by the program as `target`.
        public init(_ descriptor: Int32, as target: Int32) {
            source = .descriptor(descriptor)
            self.target = target
        }

        private init(source: Source, target: Int32) {
            self.source = source
            self.target = target
        }

        /// The null device, seen by the program as `target`.
        public static func null(as target: Int32) -> Descriptor {
            Descriptor(source: .null, target: target)
        }

        /// The file at `path`, appended to, seen by the program as `target`.
        public static func file(_ path: String, as target: Int32) -> Descriptor {
            Descriptor(source: .file(path), target: target)
        }
    }

    /// The process, which also leads the group of this number.
    public let pid: pid_t

    private let ended = Mutex<End?>(nil)

    /// Starts `executable` with `arguments`.
    ///
    /// `environment` is the whole of it, or nil for that of the tests. Standard input, output and
    /// error are the null device unless `descriptors` names them.
    public init(
        _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
        descriptors: [Descriptor] = []
    ) throws {
        pid = try Self.spawn(
            executable, arguments, environment: environment, descriptors: descriptors)
        Janitor.watch(.group(pid))
    }

    deinit { kill() }

    /// How it ended, or nil while it runs.
    public var end: End? {
        ended.withLock { end in
            if end == nil { end = Self.reap(pid) }
            return end
        }
    }

    /// Sends `signal` to the process, unless it has ended.
    public func send(_ signal: Int32) {
        ended.withLock { if $0 == nil { _ = Glibc.kill(pid, signal) } }
    }

    /// Sends `signal` to the whole group.
    public func sendToGroup(_ signal: Int32) {
        ended.withLock { if $0 == nil { _ = Glibc.kill(-pid, signal) } }
    }

    /// Waits until it ends.
    @discardableResult
    public func waitForEnd(seconds: Double = 20) throws -> End {
        try wait(for: "process \(pid) to end", seconds: seconds) { end }
    }

    /// Asks the whole group to end, and kills what is left of it after `seconds`.
    @discardableResult
    public func stop(signal: Int32 = SIGTERM, seconds: Double = 5) -> End? {
        sendToGroup(signal)
        _ = try? waitForEnd(seconds: seconds)
        kill()
        return end
    }

    /// Kills the whole group at once.
    public func kill() {
        ended.withLock { end in
            // The group outlives its leader as long as it has members, so it is killed in any case.
            // The leader is reaped only afterwards: until then nobody else can get its number.
            let fresh = end == nil
            if fresh || Self.groupRuns(pid) { _ = Glibc.kill(-pid, SIGKILL) }
            while end == nil {
                end = Self.reap(pid)
                if end == nil { usleep(1_000) }
            }
            // What its children held is free only when they have gone too.
            var patience = 1_000
            while patience > 0 && Self.groupRuns(pid) {
                usleep(1_000)
                patience -= 1
            }
        }
        Janitor.forget(.group(pid))
    }

    /// Whether a process of `group` is more than a zombie that init has not reaped yet.
    private static func groupRuns(_ group: pid_t) -> Bool {
        guard Glibc.kill(-group, 0) == 0 else { return false }
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.lazy.filter { $0.allSatisfy(\.isNumber) }.contains { process in
            // proc(5): the process's name in parentheses, then state, parent, group.
            let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            let fields = stat?.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 2 && fields[2] == "\(group)" && fields[0] != "Z"
        }
    }

    private static func reap(_ pid: pid_t) -> End? {
        var status: Int32 = 0
        let result = unsafe waitpid(pid, &status, WNOHANG)
        guard result != 0 else { return nil }
        guard result == pid else { return .exited(-1) }
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }

    /// Starts a program that nobody owns; ``Janitor`` itself is one.
    static func spawn(
        _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
        descriptors: [Descriptor]
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        var named = Set<Int32>()
        for descriptor in descriptors {
            named.insert(descriptor.target)
            unsafe add(descriptor, to: &actions)
        }
        for target in Int32(0)...2 where !named.contains(target) {
            unsafe add(.null(as: target), to: &actions)
        }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A test runner may ignore or block signals; a daemon expects them as after login.
        var all = sigset_t()
        unsafe sigfillset(&all)
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | setSession))

        let argumentStrings = CStringArray([executable] + arguments)
        let environmentStrings = environment.map {
            CStringArray($0.map { "\($0.key)=\($0.value)" })
        }
        var pid: pid_t = 0
        let result = withExtendedLifetime((argumentStrings, environmentStrings)) {
            unsafe posix_spawn(
                &pid, executable, &actions, &attributes, argumentStrings.pointers,
                environmentStrings?.pointers ?? environ)
        }
        guard result == 0 else {
            throw TestKitError("\(executable) cannot be started: errno \(result)")
        }
        return pid
    }

    /// POSIX_SPAWN_SETSID of spawn.h, which is behind a macro that Swift does not see.
    private static let setSession: Int32 = 0x80

    private static func add(
        _ descriptor: Descriptor, to actions: UnsafeMutablePointer<posix_spawn_file_actions_t>
    ) {
        switch descriptor.source {
        case .descriptor(let source):
            unsafe posix_spawn_file_actions_adddup2(actions, source, descriptor.target)
        case .null:
            unsafe posix_spawn_file_actions_addopen(
                actions, descriptor.target, "/dev/null", O_RDWR, 0)
        case .file(let path):
            unsafe posix_spawn_file_actions_addopen(
                actions, descriptor.target, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        }
    }
}

/// A null-terminated array of C strings, as `posix_spawn` wants it.
@safe private final class CStringArray {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        unsafe pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            unsafe (pointers + index).initialize(to: strdup(string))
        }
        unsafe (pointers + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}
