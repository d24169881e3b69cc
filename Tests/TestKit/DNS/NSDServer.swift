internal import Foundation
public import MailDNS
internal import MailSyntax

/// A private NSD on a loopback port that serves one root zone with all of a test's names.
///
/// Everything it needs is in a temporary directory of its own; nothing of the machine is touched.
public final class NSDServer: Sendable {
    /// Where the programs are; not present means that the tests that need them are skipped.
    public static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/sbin/nsd")
    /// True if zones can be signed too.
    public static let canSign =
        isInstalled && FileManager.default.isExecutableFile(atPath: "/usr/bin/ldns-signzone")

    /// What a server could not do.
    public struct Failure: Error, CustomStringConvertible {
        /// The failure in words, with the program's output.
        public let description: String
    }

    /// How the zone is served.
    public enum Signing: Hashable, Sendable {
        /// As it is.
        case none
        /// With signatures; in the signed zone some text is then replaced by other text.
        case signed(replacing: [String: String])
    }

    /// The server as the resolver's options want it.
    public let nameserver: Nameserver
    /// The trust anchor of a signed zone.
    public let trustAnchorFile: String?
    private let directory: TemporaryDirectory
    private let process: ChildProcess

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - zone: the records, in master file form, with names relative to the root. The zone's SOA
    ///     and NS records are added here; delegations are not supported.
    ///   - signing: whether the zone is signed.
    /// - Throws: a `Failure` when a program does not do its part, or an error of the file system.
    public init(_ zone: String, signing: Signing = .none) throws {
        directory = try TemporaryDirectory("signet-nsd")
        let apex = """
            $ORIGIN .
            $TTL 300
            . IN SOA ns.invalid. postmaster.invalid. 1 3600 600 86400 300
            . IN NS ns.invalid.
            ns.invalid. IN A 127.0.0.1

            """
        try directory.write(apex + zone + "\n", to: "root.zone")
        switch signing {
        case .none: trustAnchorFile = nil
        case .signed(let replacements):
            trustAnchorFile = try Self.sign(in: directory, replacements)
        }
        let port = try LoopbackPort.free()
        nameserver = Nameserver(.v4(0x7f00_0001), port: port)
        process = try Self.start(
            in: directory, port: port, file: trustAnchorFile == nil ? "root.zone" : "root.signed")
        for _ in 0..<400 where process.end == nil {
            if LoopbackSockets.accepts(port: port) { return }
            Thread.sleep(forTimeInterval: 0.01)
        }
        let log = try? String(contentsOfFile: directory.file("log"), encoding: .utf8)
        process.kill()
        throw Failure(description: "nsd does not start: \(log ?? "no log")")
    }

    /// Stops the server.
    public func stop() {
        process.stop()
    }

    private static func start(
        in directory: TemporaryDirectory, port: UInt16, file: String
    ) throws -> ChildProcess {
        let path = directory.path
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
                name: "."
                zonefile: "\(file)"

            """, to: "nsd.conf")
        return try ChildProcess("/usr/sbin/nsd", ["-d", "-c", configuration])
    }

    /// Signs the zone and returns the path of its trust anchor.
    private static func sign(
        in directory: TemporaryDirectory, _ replacements: [String: String]
    ) throws -> String {
        let key = try run(
            ["ldns-keygen", "-a", "ED25519", "-k", "-r", "/dev/urandom", "."], directory)
        let base = key.trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try run(
            ["ldns-signzone", "-o", ".", "-f", "root.signed", "root.zone", base], directory)
        let signed = URL(fileURLWithPath: directory.file("root.signed"))
        var text = try String(contentsOf: signed, encoding: .utf8)
        for (old, new) in replacements { text = text.replacingOccurrences(of: old, with: new) }
        try text.write(to: signed, atomically: true, encoding: .utf8)
        return directory.file(base + ".key")
    }

    private static func run(_ command: [String], _ directory: TemporaryDirectory) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.standardOutput = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(command.joined(separator: " ")) failed: \(text)")
        }
        return text
    }
}
