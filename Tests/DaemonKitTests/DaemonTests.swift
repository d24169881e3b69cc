import Configuration
import Foundation
import Glibc
import TestKit
import Testing

@testable import DaemonKit

/// The life of a daemon, seen from outside its process.
@Suite(.serialized) struct DaemonTests {
    let folder: Folder
    let socket: String

    init() throws {
        folder = try Folder()
        setMode(folder.path, 0o755)
        socket = folder.file("s")
        try folder.write("c", "Socket unix:\(socket)\nUserID nobody\nSocketGroup nogroup\n")
    }

    private func start(
        _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws -> ProbeProcess {
        try ProbeProcess(
            ["-x", folder.file("c")] + arguments, in: folder, environment: environment)
    }

    // MARK: Command line and checking

    @Test(arguments: [
        (["-Z"], "unknown option -Z"), (["--nonsense"], "unknown option --nonsense"),
        (["-x"], "-x needs its FILE"), (["--help=yes"], "--help takes no value"),
        (["a", "b"], "unexpected argument \"a\""),
    ])
    func `a wrong command line is a usage error`(_ arguments: [String], _ message: String) throws {
        let probe = try ProbeProcess(arguments, in: folder)
        #expect(try probe.status() == 64)
        #expect(probe.log.contains(message))
    }

    @Test func `help and version are printed`() throws {
        for (option, text) in [("--help", "-x FILE"), ("-V", "signet-probe 1.0\n")] {
            let pipe = try PrivatePipe()
            let probe = try ProbeProcess([option], in: folder, output: pipe.writing)
            #expect(try probe.status() == 0)
            try pipe.writing.close()
            let output = String(
                decoding: pipe.reading.readDataToEndOfFile(), as: UTF8.self)
            #expect(output.contains(text))
        }
    }

    @Test func `checking finds everything and stops`() throws {
        let good = try start(["-n"])
        #expect(try good.status() == 0)
        #expect(good.log.isEmpty)
        try folder.write(
            "c",
            "Sylog yes\nKeyFile \(folder.file("gone"))\nInternalHosts 10.0.0.0/99\nUserID nosuch\nSocket \(socket)\n"
        )
        let bad = try start(["-n"])
        #expect(try bad.status() == 78)
        let lines = bad.log.split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(bad.log.contains("c:1:1: error: Sylog: unknown directive; did you mean Syslog?"))
        #expect(bad.log.contains("c:2:1: error: KeyFile: the key file"))
        #expect(bad.log.contains("c:3:1: error: InternalHosts: \"10.0.0.0/99\""))
        #expect(
            bad.log.contains(
                "c:4:1: error: UserID: there is no user nosuch; the package creates the user signet-probe"
            ))
        #expect(try ProbeProcess(["-n", "-x", "/nonexistent"], in: folder).status() == 78)
        #expect(try ProbeProcess(["-n", folder.file("c")], in: folder).status() == 78)
        #expect(try ProbeProcess(["-n", "-c", folder.file("c")], in: folder).status() == 78)
        #expect(try ProbeProcess(["-n", "-p", "unix:relative"], in: folder).status() == 78)
    }

    @Test func `a mistake in Socket is one finding: the default's place is nobody's concern`()
        throws
    {
        for value in ["unix:relative", "inet:99999@localhost", "nothing"] {
            try folder.write("c", "Socket \(value)\n")
            let probe = try start(["-n"])
            #expect(try probe.status() == 78)
            #expect(probe.log.split(separator: "\n").filter { $0.contains(" Socket: ") }.count == 1)
        }
    }

    @Test func `findings come in the order of the file`() throws {
        try folder.write(
            "c",
            "InternalHosts 10.0.0.0/99\nPidFile /nonexistent/d/p\nUMask 9\nSocket unix:\(socket)\n")
        let probe = try start(["-n"])
        #expect(try probe.status() == 78)
        let lines = probe.log.split(separator: "\n")
            .compactMap { $0.split(separator: ":").dropFirst().first }
            .map(String.init).compactMap(Int.init)
        #expect(lines == [1, 2, 3])
    }

    @Test func `a failure is seen by whoever starts the daemon`() throws {
        let probe = try start(["-l", "-p", "unix:/nonexistent/dir/s"])
        #expect(try probe.status() == 73)
        #expect(probe.log.contains("/nonexistent/dir cannot be opened"))
    }

    @Test func `files are evaluated instead of serving`() throws {
        let probe = try start(["-t", "a,b", "c"])
        #expect(try probe.status() == 65)
        #expect(probe.log == "evaluated: a: hello\nevaluated: b: hello\nevaluated: c: hello\n")
    }

    // MARK: Life

    @Test func `it listens, gives up root, and stops when it is asked to`() throws {
        let nobody = try #require(UserSpec("nobody").flatMap { try? Account($0) })
        let nogroup = try #require(Account.group(named: "nogroup"))
        let probe = try start(["-P", folder.file("pid")])
        let client = try Client.connected(to: socket)
        #expect(client.line() == "hello \(nobody.user):\(nobody.group)")
        var status = stat()
        #expect(unsafe lstat(socket, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        #expect(status.st_gid == nogroup)
        let pid = try String(contentsOfFile: folder.file("pid"), encoding: .utf8)
        #expect(pid == "\(probe.process.pid)\n")
        #expect(probe.logs("4XyZ: greeted a client"))
        shutdown(client.descriptor, Int32(SHUT_RDWR))
        probe.signal(SIGTERM)
        #expect(try probe.status() == 0)
    }

    @Test func `stopping waits for clients, and a second signal does not`() throws {
        let probe = try start()
        let client = try Client.connected(to: socket)
        _ = client.line()
        probe.signal(SIGTERM)
        #expect(probe.logs("asked to stop"))
        usleep(200_000)
        #expect(probe.isRunning)
        shutdown(client.descriptor, Int32(SHUT_RDWR))
        #expect(try probe.status() == 0)

        let stubborn = try start()
        let other = try Client.connected(to: socket)
        _ = other.line()
        stubborn.signal(SIGINT)
        #expect(stubborn.logs("asked to stop"))
        stubborn.signal(SIGINT)
        #expect(try stubborn.status() == -SIGINT)
    }

    @Test(arguments: [SIGHUP, SIGUSR1])
    func `a reload takes effect, and a bad one does not`(_ signal: Int32) throws {
        let configuration = "Socket unix:\(socket)\nUserID nobody\nSocketGroup nogroup\n"
        let probe = try start()
        _ = try Client.connected(to: socket).line()
        try folder.write("c", configuration + "Greeting welcome\nPidFile \(folder.file("p"))\n")
        probe.signal(signal)
        #expect(probe.logs("the configuration is reloaded"))
        #expect(
            probe.log.contains("PidFile \(folder.file("p")) takes effect at the next start only"))
        #expect(try Client.connected(to: socket).line().hasPrefix("welcome "))
        try folder.write("c", configuration + "Greeting bad\nGreting x\nUMask 9\n")
        probe.signal(signal)
        #expect(probe.logs("the configuration is not reloaded, the old one stays: 2 errors, "))
        #expect(
            probe.log.contains("c:5:1: error: Greting: unknown directive; did you mean Greeting?"))
        #expect(try Client.connected(to: socket).line().hasPrefix("welcome "))
        probe.signal(SIGTERM)
        #expect(try probe.status() == 0)
    }

    @Test func `a reload sees no more than the daemon's user may`() throws {
        let probe = try start()
        _ = try Client.connected(to: socket)
        setMode(folder.file("c"), 0o600)
        probe.signal(SIGHUP)
        #expect(probe.logs("cannot be read: Permission denied"))
        probe.signal(SIGTERM)
        #expect(try probe.status() == 0)
        let warned = try start(["-n"])
        #expect(try warned.status() == 0)
        #expect(warned.log.contains("no reload will work"))
    }

    @Test func `keys are read as the daemon's user`() throws {
        try folder.write("key", "secret")
        setMode(folder.file("key"), 0o600)
        try folder.write("c", "UserID nobody\nKeyFile \(folder.file("key"))\n")
        let unreadable = try start(["-n"])
        #expect(try unreadable.status() == 78)
        #expect(unreadable.log.contains("cannot be read: Permission denied"))
        let nobody = try #require(UserSpec("nobody").flatMap { try? Account($0) })
        _ = unsafe chown(folder.file("key"), nobody.user, nobody.group)
        #expect(try start(["-n"]).status() == 0)
    }

    // MARK: Sockets

    @Test func `a stale socket is replaced, a live one is not stolen`() throws {
        var stale: BoundSocket? = try BoundSocket(socket, stream: true, listening: true)
        #expect(stale != nil)
        stale = nil
        let first = try start()
        _ = try Client.connected(to: socket).line()
        let second = try start()
        #expect(try second.status() == 75)
        #expect(second.log.contains("another program listens on \(socket)"))
        #expect(try Client.connected(to: socket).line().hasPrefix("hello "))
        first.signal(SIGTERM)
        #expect(try first.status() == 0)
    }

    @Test func `of several that start at once one gets the socket`() throws {
        var stale: BoundSocket? = try BoundSocket(socket, stream: true, listening: true)
        #expect(stale != nil)
        stale = nil
        let probes = try (0..<6).map { _ in try start() }
        #expect(eventually { probes.filter { !$0.isRunning }.count == 5 })
        let lost = probes.filter { !$0.isRunning }
        #expect(try lost.allSatisfy { try $0.status() == 75 })
        #expect(try Client.connected(to: socket).line().hasPrefix("hello "))
        let winner = try #require(probes.first { $0.isRunning })
        winner.signal(SIGTERM)
        #expect(try winner.status() == 0)
    }

    @Test func `whoever locks the socket's directory stops no start`() throws {
        let directory = unsafe open(folder.path, O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        #expect(flock(directory, LOCK_EX) == 0)
        let probe = try start()
        #expect(try Client.connected(to: socket).line().hasPrefix("hello "))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.hasPrefix(".") } == [])
        probe.signal(SIGTERM)
        #expect(try probe.status() == 0)
    }

    @Test func `a link in the socket's place is not followed`() throws {
        try folder.write("precious", "")
        setMode(folder.file("precious"), 0o600)
        #expect(unsafe symlink(folder.file("precious"), socket) == 0)
        let probe = try start()
        #expect(try probe.status() == 73)
        var file = stat()
        #expect(unsafe stat(folder.file("precious"), &file) == 0)
        #expect(file.st_mode & 0o777 == 0o600)
        #expect(file.st_gid == getegid())
    }

    @Test func `the limit of descriptors is raised`() throws {
        let probe = try ProbeProcess(
            ["-x", folder.file("c")], in: folder, shell: "ulimit -S -n 64; exec \"$0\" \"$@\"")
        _ = try Client.connected(to: socket).line()
        let limits = try String(
            contentsOfFile: "/proc/\(probe.process.pid)/limits", encoding: .utf8)
        let line = try #require(
            limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
        let words = line.split(separator: " ")
        #expect(words[3] == words[4])
        probe.signal(SIGTERM)
        #expect(try probe.status() == 0)
    }

    @Test func `a file that is no socket is left alone`() throws {
        try folder.write("s", "precious")
        let probe = try start()
        #expect(try probe.status() == 73)
        #expect(probe.log.contains("is not a socket"))
        #expect(try String(contentsOfFile: socket, encoding: .utf8) == "precious")
        let missing = try start(["-p", "unix:/nonexistent/dir/s"])
        #expect(try missing.status() == 73)
        #expect(missing.log.contains("/nonexistent/dir cannot be opened"))
    }

    @Test func `TCP works and a taken port is said to be`() throws {
        let port = UInt16.random(in: 20_000..<30_000)
        let probe = try start(["-p", "inet:\(port)@localhost"])
        var client: Client?
        #expect(
            eventually {
                client = Client(port: port)
                return client != nil
            })
        #expect(client?.line().hasPrefix("hello ") == true)
        let second = try start(["-p", "inet:\(port)@127.0.0.1"])
        #expect(try second.status() == 75)
        #expect(second.log.contains("another program listens there"))
        client = nil
        probe.signal(SIGTERM)
        #expect(try probe.status() == 0)
        let nowhere = try start(["-p", "inet:\(port)@host.invalid"])
        #expect(try nowhere.status() == 78)
    }

    /// Moves the listener on standard input to descriptor 3, as systemd passes it, and becomes the probe.
    private let activated =
        "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=signet-probe exec \"$0\" \"$@\""

    @Test func `systemd's socket is taken and left in place`() throws {
        let listener = try BoundSocket(folder.file("systemd"), stream: true, listening: true)
        let handle = FileHandle(fileDescriptor: listener.descriptor)
        let probe = try ProbeProcess(
            ["-x", folder.file("c")], in: folder, input: handle, shell: activated)
        #expect(try Client.connected(to: folder.file("systemd")).line().hasPrefix("hello "))
        #expect(!FileManager.default.fileExists(atPath: socket))
        // Whoever looks for the socket that the configuration names is told where it is.
        #expect(
            probe.logs(
                "Socket: not listening on unix:\(socket): systemd passes unix:\(folder.file("systemd"))"
            ))
        #expect(probe.log.contains("systemctl edit signet-probe.socket"))
        #expect(
            probe.logs("listens on unix:\(folder.file("systemd")), which was passed to it"))
        probe.signal(SIGTERM)
        #expect(try probe.status() == 0)
        #expect(FileManager.default.fileExists(atPath: folder.file("systemd")))
        // The next instance gets the same socket: what connected in between is served.
        let waiting = try Client.connected(to: folder.file("systemd"))
        let next = try ProbeProcess(
            ["-x", folder.file("c")], in: folder, input: handle, shell: activated)
        #expect(waiting.line().hasPrefix("hello "))
        shutdown(waiting.descriptor, Int32(SHUT_RDWR))
        next.signal(SIGTERM)
        #expect(try next.status() == 0)
    }

    @Test func `a descriptor that does not listen is an error`() throws {
        #expect(try start(["-p", "fd:0"]).status() == 78)
        let probe = try ProbeProcess(["-x", folder.file("c")], in: folder, shell: activated)
        #expect(try probe.status() == 78)
        #expect(probe.log.contains("is not a listening socket"))
    }

    @Test func `one client is served on standard input and output`() throws {
        let input = try PrivatePipe()
        let output = try PrivatePipe()
        let probe = try ProbeProcess(
            ["-x", folder.file("c")], in: folder, input: input.reading,
            output: output.writing)
        try output.writing.close()
        #expect(output.reading.availableData.starts(with: Data("hello ".utf8)))
        #expect(!FileManager.default.fileExists(atPath: socket))
        try input.writing.close()
        #expect(try probe.status() == 0)
    }

    // MARK: systemd and logs

    @Test func `systemd is told what happens`() throws {
        let systemd = try BoundSocket(folder.file("notify"), stream: false)
        setMode(folder.file("notify"), 0o777)
        let probe = try start(environment: ["NOTIFY_SOCKET": folder.file("notify")])
        let ready = systemd.receive()
        #expect(
            ready.hasPrefix("READY=1\nMAINPID=\(probe.process.pid)\nSTATUS=running")
        )
        #expect(Client(unix: socket) != nil)
        probe.signal(SIGHUP)
        #expect(systemd.receive().hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        #expect(systemd.receive().hasPrefix("READY=1\n"))
        try folder.write("c", "Nonsense\n")
        probe.signal(SIGHUP)
        #expect(systemd.receive().hasPrefix("RELOADING=1\n"))
        let refused = systemd.receive()
        #expect(refused.contains("STATUS=running, with the old configuration; the last reload was"))
        #expect(refused.contains("refused: 1 error, the first is: "))
        #expect(refused.contains("c:1:1: error: Nonsense: unknown directive"))
        probe.signal(SIGTERM)
        #expect(systemd.receive().hasPrefix("STOPPING=1\n"))
        #expect(try probe.status() == 0)
    }

    @Test func `systemd is told why the daemon does not start, or does not reload`() throws {
        let systemd = try BoundSocket(folder.file("notify"), stream: false)
        setMode(folder.file("notify"), 0o777)
        try folder.write("c", "Nonsense yes\n")
        let notify = ["NOTIFY_SOCKET": folder.file("notify")]
        #expect(try start(environment: notify).status() == 78)
        let status = systemd.receive()
        #expect(status.hasPrefix("STATUS=not started: "))
        #expect(status.contains("c:1:1: error: Nonsense: unknown directive"))
        // The unit checks before it has the daemon reload.
        let check = try start(["-n"], environment: notify.merging(["MAINPID": "1"]) { $1 })
        #expect(try check.status() == 78)
        #expect(check.log.contains("the daemon goes on with the old configuration"))
        #expect(systemd.receive().hasPrefix("STATUS=running with the old configuration; "))
    }

    @Test func `the journal gets priorities`() throws {
        let shell = "JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec \"$0\" \"$@\""
        let probe = try ProbeProcess(
            ["-x", folder.file("c"), "-t", "m"], in: folder,
            environment: ["PATH": "/usr/bin:/bin"], shell: shell)
        #expect(try probe.status() == 65)
        #expect(probe.log == "<6>evaluated: m: hello\n")
        let other = try start(["-t", "m"], environment: ["JOURNAL_STREAM": "1:2"])
        #expect(try other.status() == 65)
        #expect(other.log == "evaluated: m: hello\n")
    }
}
