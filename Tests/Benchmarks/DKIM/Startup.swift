internal import Glibc
internal import TestKit

/// The time from the start of the program to its word that it is ready, and its first message.
enum Startup {
    /// Measures.
    ///
    /// - Parameters:
    ///   - name: the program.
    ///   - directives: its configuration but for the socket.
    ///   - rounds: how often.
    /// - Throws: where the program does not get ready.
    static func run(_ name: String, _ directives: String, rounds: Int) throws {
        let directory = try TemporaryDirectory("signet-startup")
        let configuration = try directory.write(
            directives + "Socket unix:\(directory.file("socket"))\n", to: "\(name).conf")
        let program = try DaemonProcess.path(of: name)
        let notifications = try LoopbackSocket.receiveDatagrams(path: directory.file("notify"))
        var times: [Double] = []
        for _ in 0..<rounds {
            let start = wallMicroseconds()
            let process = try ChildProcess(
                program, ["-x", configuration],
                environment: ["NOTIFY_SOCKET": directory.file("notify")])
            var polled = pollfd(fd: notifications.descriptor, events: Int16(POLLIN), revents: 0)
            var isReady = false
            while !isReady {
                guard unsafe poll(&polled, 1, 5000) == 1, let word = notifications.receive() else {
                    throw TestKitError("\(name) does not get ready")
                }
                isReady = word.contains("READY=1")
            }
            times.append((wallMicroseconds() - start) / 1000)
            process.send(SIGTERM)
            _ = try process.waitForEnd(seconds: 10)
            while notifications.receive() != nil {}
        }
        // The best: what a busy machine adds is not the daemon's.
        Report.limit(
            "\(name): ms from exec to ready, best of \(rounds)", times.min() ?? .nan, atMost: 15)
        Report.write("- the median of these: \(Report.round(times.median)) ms")
    }
}
