import Foundation
import Glibc

/// What only the running host can be asked.
enum LiveHost {
    /// Has a daemon check its configuration.
    ///
    /// - Returns: the errors that it reports; nil where it is not installed.
    static func check(daemon: String, file: String) -> [String]? {
        let path = "/usr/sbin/\(daemon)"
        guard unsafe access(path, X_OK) == 0 else { return nil }
        let run = HostProgram.run([path, "-n", "-x", file], seconds: patience)
        guard let (status, text) = run else {
            return ["\(path) cannot be run, or does not end"]
        }
        guard status != 0 else { return [] }
        let lines = text.split(separator: "\n").map(String.init)
        let errors = lines.filter { $0.contains("error: ") }
        return errors.isEmpty ? [lines.first ?? "it ends with status \(status)"] : errors
    }

    /// How long a program may take, in seconds.
    private static let patience = 20.0

    /// What a program writes to standard output; nil where it cannot be run, or does not end.
    static func output(of command: [String]) -> (status: Int32, text: String)? {
        HostProgram.run(command, seconds: patience, keepsErrors: false)
    }

    /// Connects to a milter's socket and opens the protocol, as Postfix would.
    ///
    /// - Returns: what went wrong; nil where nothing did.
    static func negotiate(path: String) -> String? {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return reason }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = unsafe setsockopt(
                descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard octets.count < room else { return "the path is too long" }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: octets) }
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { return reason }
        // SMFIC_OPTNEG: version 6, all actions, all of the protocol's options; then SMFIC_QUIT.
        let offer: [UInt8] =
            [0, 0, 0, 13, UInt8(ascii: "O")] + [0, 0, 0, 6] + [0, 0, 1, 0xFF] + [
                0, 0x1F, 0xFF, 0xFF,
            ]
        guard
            unsafe send(descriptor, offer, offer.count, Int32(MSG_NOSIGNAL)) == offer.count
        else { return reason }
        var answer = [UInt8](repeating: 0, count: 5)
        guard unsafe recv(descriptor, &answer, 5, Int32(MSG_WAITALL)) == 5 else {
            return "no answer to the milter protocol's opening"
        }
        guard answer[4] == UInt8(ascii: "O") else { return "it does not speak the milter protocol" }
        let end: [UInt8] = [0, 0, 0, 1, UInt8(ascii: "Q")]
        _ = unsafe send(descriptor, end, end.count, Int32(MSG_NOSIGNAL))
        return nil
    }

    private static var reason: String {
        let number = errno
        return unsafe String(cString: strerror(number))
    }
}
