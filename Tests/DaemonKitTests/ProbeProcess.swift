import Foundation
import Glibc
import TestKit
import Testing

/// A probe daemon in a process of its own.
final class ProbeProcess {
    /// Beside the test program, or among the products that `$SIGNET_PRODUCTS` names (built with a sanitizer, say).
    static let path: String = {
        let here = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
        let products = ProcessInfo.processInfo.environment["SIGNET_PRODUCTS"] ?? here
        return products + "/DaemonProbe"
    }()

    let process: ChildProcess
    private let errors: String

    /// Starts `DaemonProbe` with these arguments; standard error goes to a file in `folder`.
    init(
        _ arguments: [String], in folder: Folder, environment: [String: String] = [:],
        input: FileHandle? = nil, output: FileHandle? = nil, shell: String? = nil
    ) throws {
        errors = folder.file("stderr-\(UUID().uuidString.prefix(6))")
        try Data().write(to: URL(fileURLWithPath: errors))
        process = try ChildProcess(
            shell == nil ? Self.path : "/bin/sh",
            shell.map { ["-c", $0, Self.path] + arguments } ?? arguments,
            environment: environment,
            descriptors: [
                input.map { .init($0.fileDescriptor, as: 0) } ?? .null(as: 0),
                output.map { .init($0.fileDescriptor, as: 1) } ?? .null(as: 1),
                .file(errors, as: 2),
            ])
    }

    var isRunning: Bool { process.end == nil }

    func signal(_ number: Int32) {
        process.send(number)
    }

    /// Waits for the end; the exit status, or the negated signal.
    func status() throws -> Int32 {
        switch try process.waitForEnd(seconds: 120) {
        case .exited(let status): status
        case .signalled(let signal): -signal
        }
    }

    var log: String {
        (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
    }

    /// Whether the log comes to contain a text within five seconds.
    func logs(_ text: String) -> Bool {
        eventually { self.log.contains(text) }
    }
}

/// Whether something comes to be true within five seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<500 {
        if condition() { return true }
        usleep(10_000)
    }
    return condition()
}

/// A client of the probe.
final class Client {
    let descriptor: Int32

    init?(unix path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard connectUnix(descriptor, path) == 0 else {
            close(descriptor)
            return nil
        }
    }

    init?(port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit {
        close(descriptor)
    }

    /// One line, without its end; empty at the end of the stream.
    func line() -> String {
        var text: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(descriptor, &byte, 1) == 1, byte != 0x0A { text.append(byte) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Connects as soon as somebody listens.
    static func connected(to path: String) throws -> Client {
        var client: Client?
        _ = eventually {
            client = Client(unix: path)
            return client != nil
        }
        return try #require(client)
    }
}

/// Lends a unix socket's address to `connect` or `bind`.
private func withUnixAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    return unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

func connectUnix(_ descriptor: Int32, _ path: String) -> Int32 {
    unsafe withUnixAddress(path) { unsafe connect(descriptor, $0, $1) }
}

/// A unix socket that is bound to a path: a fake of systemd's, syslog's, or a stale one.
final class BoundSocket {
    let descriptor: Int32

    init(_ path: String, stream: Bool, listening: Bool = false) throws {
        let type = stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
        descriptor = socket(AF_UNIX, Int32(type | SOCK_CLOEXEC.rawValue), 0)
        #expect(unsafe withUnixAddress(path) { unsafe bind(descriptor, $0, $1) } == 0)
        if listening { #expect(listen(descriptor, 16) == 0) }
    }

    deinit {
        close(descriptor)
    }

    /// The next datagram within five seconds; empty when there is none.
    func receive() -> String {
        var descriptors = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&descriptors, 1, 5000) == 1 else { return "" }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
