internal import TestKit

/// The floor in C, in the modes that the daemons are compared with.
struct FloorBench {
    private let directory: TemporaryDirectory

    /// Prepares a directory for the sockets.
    init() throws {
        directory = try TemporaryDirectory("signet-floor")
    }

    /// Starts the floor in a mode.
    ///
    /// - Parameters:
    ///   - mode: the mode, as its usage has it.
    ///   - arguments: the key's file, or the names of fields.
    ///   - mail: what it gets.
    ///   - proof: what its answer contains.
    /// - Returns: the floor, running.
    /// - Throws: where it does not do its work.
    func floor(
        _ mode: String, _ arguments: [String] = [], mail: Transcript.Mail, proof: String? = nil
    ) throws -> Subject {
        let socket = directory.file("\(mode)-\(proof?.filter(\.isLetter) ?? "plain")")
        let process = try ChildProcess(
            try DaemonProcess.path(of: "Floor"), [mode, socket] + arguments)
        return try .started("floor", socket, process, pid: process.pid, mail, proof)
    }

    /// The filter that does nothing, on our own transport.
    func signetNull(mail: Transcript.Mail) throws -> Subject {
        let path = directory.file("signet-null")
        let listener = try LoopbackSocket.listen(path: path)
        let process = try ChildProcess(
            try DaemonProcess.path(of: "SignetNull"), ["3"],
            descriptors: [.init(listener.descriptor, as: 3)])
        return try .started("transport alone", path, process, pid: process.pid, mail, nil)
    }

    /// The filter that does nothing, on libmilter.
    func libmilterNull(mail: Transcript.Mail) throws -> Subject {
        let socket = directory.file("libmilter")
        let process = try ChildProcess(try DaemonProcess.path(of: "NullFilter"), [socket])
        return try .started("libmilter alone", socket, process, pid: process.pid, mail, nil)
    }
}
