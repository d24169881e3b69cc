internal import Foundation
public import MailDNS
internal import MailSyntax

/// A private Knot, which takes signed updates or reads its zones anew when it is told, and a private NSD that fetches the zones
/// from it and lags behind.
///
/// NSD is told of nothing and looks by itself, after the SOA record's refresh.
public final class PrivateServers: Sendable {
    /// Whether all that is needed is there.
    public static let areInstalled = ["knotd", "nsd", "nsupdate"].allSatisfy {
        (try? Command.path(of: $0)) != nil
    }

    /// A zone and its records besides those of its apex.
    public struct Zone: Sendable {
        let name: String
        let records: String

        /// Describes a zone; `records` have names that are relative to it.
        public init(_ name: String, records: String = "") {
            self.name = name
            self.records = records
        }
    }

    /// How long things take, in seconds.
    public struct Times: Sendable {
        /// The longest that the secondary lags behind.
        public var lag = 2
        /// How long a resolver may remember that there was nothing.
        public var negative = 2

        /// Two seconds each.
        public init() {}
    }

    private let directory: TemporaryDirectory
    /// Where the zones' files are, each ZONE.zone with ZONE.signet in it.
    public var zoneDirectory: String { directory.path }
    /// A program that has the primary read a zone's file anew.
    public let reloader: String
    /// The server that takes updates.
    public let primary: Nameserver
    /// The server that lags behind.
    public let secondary: Nameserver
    /// The TSIG key as nsupdate reads it.
    public let keyFile: String
    private let knot: ChildProcess
    private let nsd: ChildProcess

    /// Starts both.
    ///
    /// - Parameters:
    ///   - zones: what they serve.
    ///   - times: how long things take.
    ///   - takesUpdates: whether the primary takes updates; otherwise its zones are those in the files.
    /// - Throws: what a program has said that did not do its part.
    public init(
        _ zones: [Zone] = [Zone("example.org")], _ times: Times = Times(),
        takesUpdates: Bool = true
    ) throws {
        directory = try TemporaryDirectory("signet-servers")
        let ports = try LoopbackPort.free(2)
        primary = Nameserver(.v4(0x7f00_0001), port: ports[0])
        secondary = Nameserver(.v4(0x7f00_0001), port: ports[1])
        let secret = "c2lnbmV0LXNpZ25ldC1zaWduZXQtc2lnbmV0LXNpZ24="
        keyFile = try directory.write(
            "key \"signet-test\" { algorithm hmac-sha256; secret \"\(secret)\"; };\n",
            to: "update.key", mode: 0o600)
        for zone in zones {
            try directory.write(
                """
                $ORIGIN \(zone.name).
                $TTL \(times.negative)
                @ SOA ns1 hostmaster 1 \(times.lag) \(times.lag) 6000 \(times.negative)
                @ NS ns1
                @ NS ns2
                ns1 A 127.0.0.1
                ns2 A 127.0.0.1
                \(zone.records)
                \(takesUpdates ? "" : "$INCLUDE \(zone.name).signet")

                """, to: "\(zone.name).zone")
            try directory.write("", to: "\(zone.name).signet")
        }
        reloader = try directory.write(
            "#!/bin/sh\nexec knotc -s \(directory.file("knot.sock")) zone-reload \"$1\"\n",
            to: "reload", mode: 0o755)
        knot = try Self.startKnot(directory, ports[0], takesUpdates ? secret : nil, zones)
        nsd = try Self.startNSD(directory, ports[1], primary: ports[0], zones)
        let deadline = 60.0
        for server in [primary, secondary] {
            for zone in zones {
                _ = try wait(for: "\(server) to serve \(zone.name)", seconds: deadline) {
                    (try? Self.serial(of: zone.name, at: server)) != nil ? true : nil
                }
            }
        }
    }

    /// Sends lines of nsupdate(1) to the primary.
    public func update(_ lines: [String]) throws {
        let text = ["server \(primary.address) \(primary.port)"] + lines + ["send", ""]
        try Command.require(
            "nsupdate", ["-k", keyFile], input: Array(text.joined(separator: "\n").utf8))
    }

    /// Stops the secondary: it is then dead, not merely stale.
    public func stopSecondary() { nsd.stop() }

    deinit {
        nsd.stop()
        knot.stop()
    }

    /// The zone's serial at a server.
    private static func serial(of zone: String, at server: Nameserver) throws -> String {
        let result = try Command.run(
            "dig",
            [
                "+short", "+norec", "+time=1", "+tries=1", "@\(server.address)", "-p",
                "\(server.port)", zone, "SOA",
            ])
        let words = result.output.split(separator: " ")
        guard words.count == 7 else { throw TestKitError(result.output) }
        return String(words[2])
    }

    private static func startKnot(
        _ directory: TemporaryDirectory, _ port: UInt16, _ secret: String?, _ zones: [Zone]
    ) throws -> ChildProcess {
        let path = directory.path
        try directory.makeDirectory("knot")
        let sections = zones.map { zone in
            """
              - domain: \(zone.name)
                storage: "\(path)"
                file: \(zone.name).zone
                zonefile-sync: \(secret == nil ? "-1" : "0")
                acl: [\(secret == nil ? "" : "updates, ")transfers]

            """
        }
        let updates = secret.map { secret in
            """
            key:
              - id: signet-test
                algorithm: hmac-sha256
                secret: \(secret)
            acl:
              - id: updates
                key: signet-test
                action: update

            """
        }
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
            \(updates ?? "acl:")
              - id: transfers
                address: 127.0.0.1
                action: transfer
            zone:
            \(sections.joined())

            """, to: "knot.conf")
        return try ChildProcess(try Command.path(of: "knotd"), ["-c", configuration])
    }

    private static func startNSD(
        _ directory: TemporaryDirectory, _ port: UInt16, primary: UInt16, _ zones: [Zone]
    ) throws -> ChildProcess {
        let path = try directory.makeDirectory("nsd")
        let sections = zones.map { zone in
            """
            zone:
                name: "\(zone.name)"
                zonefile: "\(zone.name)"
                request-xfr: AXFR 127.0.0.1@\(primary) NOKEY

            """
        }
        let text = NSDConfiguration(
            path: path, addresses: ["127.0.0.1@\(port)"], zones: sections.joined()
        ).text
        let configuration = try directory.write(text, to: "nsd.conf")
        return try ChildProcess(try Command.path(of: "nsd"), ["-d", "-c", configuration])
    }
}
