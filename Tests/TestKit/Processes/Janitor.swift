import Glibc
import Synchronization

/// Leaves nothing behind, however the test process ends.
///
/// A small shell is told over a socket what exists: process groups and directories. When the socket
/// closes, by a normal end as by a crash or a kill -9 of the test process, it kills the groups and
/// removes the directories that were not signed off. It ignores the terminal's signals.
enum Janitor {
    /// Something that must not outlive this process.
    enum Charge {
        /// The process group with this number.
        case group(Int32)
        /// The directory at this path, with all in it.
        case directory(String)

        fileprivate var words: String {
            switch self {
            case .group(let number): "group \(number)"
            case .directory(let path): "directory \(path)"
            }
        }
    }

    /// Takes `charge` into care.
    static func watch(_ charge: Charge) {
        tell("+\(charge.words)\n")
    }

    /// Forgets `charge`, which has been ended or removed.
    static func forget(_ charge: Charge) {
        tell("-\(charge.words)\n")
    }

    private static let script = """
        trap '' INT TERM HUP QUIT
        declare -A groups directories
        while read -r verb what; do
            case $verb in
                +group) groups[$what]=1 ;;
                -group) unset "groups[$what]" ;;
                +directory) directories[$what]=1 ;;
                -directory) unset "directories[$what]" ;;
            esac
        done
        for group in "${!groups[@]}"; do kill -KILL -- "-$group"; done
        for attempt in 1 2 3; do
            for directory in "${!directories[@]}"; do rm -rf -- "$directory"; done && break
            sleep 0.2
        done
        """

    /// Our end of the socket; the shell is started at the first use.
    private static let shell = Mutex<Int32?>(nil)

    private static func tell(_ line: String) {
        shell.withLock { end in
            if end == nil { end = start() }
            guard let end else { return }
            // A shell that has gone must not take the tests with it.
            _ = unsafe line.withCString { unsafe send(end, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        }
    }

    private static func start() -> Int32? {
        var ends: [Int32] = [-1, -1]
        // A socket pair, because it can be made close-on-exec in one step: a copy of our end in
        // another child would keep the shell waiting.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { return nil }
        defer { close(ends[0]) }
        let started = try? ChildProcess.spawn(
            "/bin/bash", ["-c", script],
            descriptors: [.init(ends[0], as: 0), .null(as: 1), .null(as: 2)])
        guard started != nil else {
            close(ends[1])
            return nil
        }
        return ends[1]
    }
}
