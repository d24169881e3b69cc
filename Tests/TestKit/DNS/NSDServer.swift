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
    private let directory: URL
    private let process: Process

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - zone: the records, in master file form, with names relative to the root. The zone's SOA
    ///     and NS records are added here; delegations are not supported.
    ///   - signing: whether the zone is signed.
    /// - Throws: a `Failure` when a program does not do its part, or an error of the file system.
    public init(_ zone: String, signing: Signing = .none) throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("nsd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let apex = """
            $ORIGIN .
            $TTL 300
            . IN SOA ns.invalid. postmaster.invalid. 1 3600 600 86400 300
            . IN NS ns.invalid.
            ns.invalid. IN A 127.0.0.1

            """
        try (apex + zone + "\n").write(
            to: directory.appendingPathComponent("root.zone"), atomically: true, encoding: .utf8)
        switch signing {
        case .none: trustAnchorFile = nil
        case .signed(let replacements):
            trustAnchorFile = try Self.sign(in: directory, replacements)
        }
        let port = try LoopbackSockets.freePort()
        nameserver = Nameserver(.v4(0x7f00_0001), port: port)
        process = try Self.start(
            in: directory, port: port, file: trustAnchorFile == nil ? "root.zone" : "root.signed")
        for _ in 0..<200 where process.isRunning {
            if LoopbackSockets.accepts(port: port) { return }
            Thread.sleep(forTimeInterval: 0.02)
        }
        let log = try? String(
            contentsOf: directory.appendingPathComponent("log"), encoding: .utf8)
        stop()
        throw Failure(description: "nsd does not start: \(log ?? "no log")")
    }

    /// Stops the server and removes its files.
    public func stop() {
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: directory)
    }

    deinit {
        if process.isRunning { process.terminate() }
    }

    private static func start(in directory: URL, port: UInt16, file: String) throws -> Process {
        let path = directory.path
        try """
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

        """.write(
            to: directory.appendingPathComponent("nsd.conf"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/nsd")
        process.arguments = ["-d", "-c", "\(path)/nsd.conf"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Signs the zone and returns the path of its trust anchor.
    private static func sign(in directory: URL, _ replacements: [String: String]) throws -> String {
        let key = try run(
            ["ldns-keygen", "-a", "ED25519", "-k", "-r", "/dev/urandom", "."], directory)
        let base = key.trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try run(
            ["ldns-signzone", "-o", ".", "-f", "root.signed", "root.zone", base], directory)
        let signed = directory.appendingPathComponent("root.signed")
        var text = try String(contentsOf: signed, encoding: .utf8)
        for (old, new) in replacements { text = text.replacingOccurrences(of: old, with: new) }
        try text.write(to: signed, atomically: true, encoding: .utf8)
        return directory.appendingPathComponent(base + ".key").path
    }

    private static func run(_ command: [String], _ directory: URL) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = directory
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
