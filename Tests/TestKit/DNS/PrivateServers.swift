internal import Foundation
public import MailDNS
internal import MailSyntax

/// A private Knot that takes signed updates, and a private NSD that fetches the zone from it and lags behind.
///
/// NSD is told of nothing and looks by itself, after the SOA record's refresh of two seconds.
public final class PrivateServers: Sendable {
    /// Whether all that is needed is there.
    public static let areInstalled = ["knotd", "nsd", "nsupdate"].allSatisfy {
        (try? Command.path(of: $0)) != nil
    }

    private let directory: TemporaryDirectory
    /// The server that takes updates.
    public let primary: Nameserver
    /// The server that lags behind.
    public let secondary: Nameserver
    /// The TSIG key as nsupdate reads it.
    public let keyFile: String
    private let knot: ChildProcess
    private let nsd: ChildProcess

    /// Starts both, with an empty zone example.org.
    public init() throws {
        directory = try TemporaryDirectory("signet-servers")
        let ports = try LoopbackPort.free(2)
        primary = Nameserver(.v4(0x7f00_0001), port: ports[0])
        secondary = Nameserver(.v4(0x7f00_0001), port: ports[1])
        let secret = "c2lnbmV0LXNpZ25ldC1zaWduZXQtc2lnbmV0LXNpZ24="
        keyFile = try directory.write(
            "key \"signet-test\" { algorithm hmac-sha256; secret \"\(secret)\"; };\n",
            to: "update.key", mode: 0o600)
        try directory.write(
            """
            $TTL 2
            @ SOA ns1 hostmaster 1 2 2 600 2
            @ NS ns1
            @ NS ns2
            ns1 A 127.0.0.1
            ns2 A 127.0.0.1

            """, to: "example.org.zone")
        knot = try Self.startKnot(directory, ports[0], secret)
        nsd = try Self.startNSD(directory, ports[1], primary: ports[0])
        let deadline = 20.0
        for server in [primary, secondary] {
            _ = try wait(for: "\(server) to serve the zone", seconds: deadline) {
                (try? Self.serial(at: server)) != nil ? true : nil
            }
        }
    }

    /// Stops the secondary: it is then dead, not merely stale.
    public func stopSecondary() { nsd.stop() }

    deinit {
        nsd.stop()
        knot.stop()
    }

    /// The zone's serial at a server.
    private static func serial(at server: Nameserver) throws -> String {
        let result = try Command.run(
            "dig",
            [
                "+short", "+norec", "+time=1", "+tries=1", "@\(server.address)", "-p",
                "\(server.port)", "example.org", "SOA",
            ])
        let words = result.output.split(separator: " ")
        guard words.count == 7 else { throw TestKitError(result.output) }
        return String(words[2])
    }

    private static func startKnot(
        _ directory: TemporaryDirectory, _ port: UInt16, _ secret: String
    ) throws -> ChildProcess {
        let path = directory.path
        try directory.makeDirectory("knot")
        let configuration = try directory.write(
            """
            server:
                rundir: "\(path)"
                listen: 127.0.0.1@\(port)
            log:
              - target: "\(path)/knot.log"
                any: info
            database:
                storage: "\(path)/knot"
            key:
              - id: signet-test
                algorithm: hmac-sha256
                secret: \(secret)
            acl:
              - id: updates
                key: signet-test
                action: update
              - id: transfers
                address: 127.0.0.1
                action: transfer
            zone:
              - domain: example.org
                storage: "\(path)"
                file: example.org.zone
                acl: [updates, transfers]

            """, to: "knot.conf")
        return try ChildProcess(try Command.path(of: "knotd"), ["-c", configuration])
    }

    private static func startNSD(
        _ directory: TemporaryDirectory, _ port: UInt16, primary: UInt16
    ) throws -> ChildProcess {
        let path = try directory.makeDirectory("nsd")
        let configuration = try directory.write(
            """
            server:
                ip-address: 127.0.0.1@\(port)
                server-count: 1
                username: ""
                chroot: ""
                zonesdir: "\(path)"
                database: ""
                pidfile: "\(path)/nsd.pid"
                xfrdfile: "\(path)/xfrd.state"
                xfrdir: "\(path)"
                zonelistfile: "\(path)/zone.list"
                logfile: "\(path)/log"
                rrl-ratelimit: 0
            remote-control:
                control-enable: no
            zone:
                name: "example.org"
                zonefile: "example.org"
                request-xfr: AXFR 127.0.0.1@\(primary) NOKEY

            """, to: "nsd.conf")
        return try ChildProcess(try Command.path(of: "nsd"), ["-d", "-c", configuration])
    }
}
