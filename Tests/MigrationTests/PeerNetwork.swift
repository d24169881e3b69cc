import Foundation
import Glibc
import TestKit

/// A network of a program's own with an NSD at port 53: for programs that ask whom resolv.conf names.
struct PeerNetwork {
    /// Whether a program can have one here.
    static let isPossible =
        NSDServer.isInstalled && getuid() == 0
        && ["/usr/bin/unshare", "/usr/sbin/ip", "/usr/bin/python3"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: $0)
        }

    private let directory: TemporaryDirectory

    /// Prepares the server.
    ///
    /// - Parameter zone: its records, by names relative to the root.
    /// - Throws: what goes wrong with its files.
    init(_ zone: String) throws {
        directory = try TemporaryDirectory("signet-peer-network")
        try directory.write(NSDConfiguration.rootApex + zone, to: "root.zone")
        try directory.write("nameserver 127.0.0.1\n", to: "resolv.conf")
        let nsd = NSDConfiguration(
            path: directory.path, addresses: ["127.0.0.1@53"],
            zones: NSDConfiguration.root("root.zone"))
        try directory.write(nsd.text, to: "nsd.conf")
    }

    /// What unshare(1) is given to have a shell command run in the network, once the server answers; it ends with the command.
    func arguments(_ command: String) -> [String] {
        // Its tries to connect are what waits: the port is open once NSD serves.
        let script = """
            set -e
            ip link set lo up
            mount --bind "$1/resolv.conf" /etc/resolv.conf
            nsd -d -c "$1/nsd.conf" &
            server=$!
            trap 'kill $server 2>/dev/null' EXIT
            python3 - <<'END'
            import socket, time
            while True:
                try:
                    socket.create_connection(("127.0.0.1", 53)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            END
            \(command)
            """
        return ["-n", "-m", "-p", "-f", "--kill-child", "sh", "-c", script, "sh", directory.path]
    }
}
