import Glibc
import Milter
import MilterService

/// A milter for the tests of Milter, over either transport.
///
/// libmilter's state is global and lives as long as its process, so each test runs a probe of its
/// own, told by arguments how to behave, and reads on its standard output what the sessions saw.
/// Standard input is its leash: it drains when told "drain", and ends when the test does.
@main
enum MilterProbe {
    static func main() {
        let script = Script(arguments: Array(CommandLine.arguments.dropFirst()))
        if let descriptors = script.descriptors {
            var limit = rlimit(rlim_cur: descriptors, rlim_max: descriptors)
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let listener = makeListener(script)
        do {
            let server = try MilterServer(
                listening: listener,
                options: .init(
                    name: "probe", transport: script.transport, drainLimit: script.drainLimit
                ) { log("problem \($0)") }
            ) { ProbeFilter(script: script) }
            watchInput(server)
            try server.run()
            log("end")
            exit(0)
        } catch {
            log("failed \(error)")
            exit(70)
        }
    }
}

/// Listens on the script's path, or on a free TCP port, and tells which.
private func makeListener(_ script: Script) -> Int32 {
    if let path = script.socketPath {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let listener = makeListener(AF_UNIX, &name)
        log("listening")
        return listener
    }
    if script.usesIPv6 {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        let listener = makeListener(AF_INET6, &name)
        log("listening \(UInt16(bigEndian: name.sin6_port))")
        return listener
    }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let listener = makeListener(AF_INET, &name)
    log("listening \(UInt16(bigEndian: name.sin_port))")
    return listener
}

/// Listens on an address, and completes it with the port.
private func makeListener<Name>(_ family: Int32, _ name: inout Name) -> Int32 {
    let listener = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    var one: Int32 = 1
    if family != AF_UNIX {
        unsafe setsockopt(
            listener, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
    var length = socklen_t(MemoryLayout<Name>.size)
    unsafe withUnsafeMutablePointer(to: &name) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = unsafe bind(listener, $0, length)
            listen(listener, 128)
            _ = unsafe getsockname(listener, $0, &length)
        }
    }
    return listener
}

/// Obeys standard input, on a thread of its own, until it ends.
private func watchInput(_ server: MilterServer) {
    final class Leash: Sendable {
        let server: MilterServer
        init(_ server: MilterServer) { self.server = server }
    }
    var thread = pthread_t()
    let leash = unsafe Unmanaged.passRetained(Leash(server))
    _ = unsafe pthread_create(
        &thread, nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            let leash = unsafe Unmanaged<Leash>.fromOpaque(argument).takeRetainedValue()
            eachInputLine { line in
                switch line {
                case "drain": leash.server.drain()
                case "count": log("count \(leash.server.connectionCount ?? -1)")
                default: log("unknown command")
                }
            }
            exit(1)
        }, leash.toOpaque())
}

/// Reads the lines of standard input, without stdio: a thread that waits in readLine holds the lock
/// of stdin, and since glibc 2.41 exit(3) waits for it.
private func eachInputLine(_ body: (String) -> Void) {
    var kept: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 512)
    while true {
        let count = unsafe read(STDIN_FILENO, &piece, piece.count)
        guard count > 0 else { return }
        kept += piece[..<count]
        while let end = kept.firstIndex(of: UInt8(ascii: "\n")) {
            body(String(decoding: kept[..<end], as: UTF8.self))
            kept.removeFirst(end + 1)
        }
    }
}
