internal import Glibc
internal import Synchronization
internal import TestKit

/// A daemon on a socket that this process holds, as systemd does, and that is killed or drained and
/// started again and again.
final class SoakDaemon: Sendable {
    /// What has happened to it.
    struct History {
        var kills = 0
        var drains = 0
        /// Ends that were not as they should be.
        var faults: [String] = []
        var isOver = false
    }

    /// The socket's path.
    let path: String
    private let listener: LoopbackSocket
    private let directory: TemporaryDirectory
    private let program: String
    private let configuration: String
    private let mustEnd = Atomic(false)
    private let state = Mutex(History())

    /// What has happened so far.
    var history: History { state.withLock(\.self) }

    init(_ subject: some SoakSubject) throws {
        directory = try TemporaryDirectory("signet-soak")
        path = directory.file("socket")
        listener = try LoopbackSocket.listen(path: path)
        // All connections may wait at once while no daemon runs.
        guard listen(listener.descriptor, 4_096) == 0 else {
            throw TestKitError("listen: errno \(errno)")
        }
        program = subject.program
        configuration = subject.configuration + "Transport native\n"
    }

    /// Starts it, and begins to disturb it, on a thread of its own.
    func start() {
        BackgroundThread.start { [self] in
            do {
                try disturb()
            } catch {
                state.withLock { $0.faults.append("\(error)") }
            }
            state.withLock { $0.isOver = true }
        }
    }

    /// Drains it for the last time; `history.isOver` becomes true.
    func end() {
        mustEnd.store(true, ordering: .relaxed)
    }

    private func disturb() throws {
        var generator = SystemRandomNumberGenerator()
        while !mustEnd.load(ordering: .relaxed) {
            let daemon = try DaemonProcess(
                program, configuration: configuration, socket: listener, directory: directory)
            usleep(.random(in: 50_000...1_000_000, using: &generator))
            if Bool.random(using: &generator) {
                daemon.kill()
                state.withLock { $0.kills += 1 }
            } else {
                let end = try daemon.stop(seconds: 90)
                state.withLock {
                    $0.drains += 1
                    if end != .exited(0) { $0.faults.append("ended by TERM: \(end)") }
                }
            }
        }
    }
}
