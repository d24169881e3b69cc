internal import Foundation
public import MailDNS
internal import MailSyntax

/// A private NSD on a loopback port that serves one root zone with all of a test's names.
///
/// Everything it needs is in a temporary directory of its own; nothing of the machine is touched.
public final class NSDServer: Sendable {
    /// True if NSD is there; the tests that need it are skipped otherwise.
    public static let isInstalled = (try? Command.path(of: "nsd")) != nil
    /// True if zones can be signed too.
    public static let canSign = isInstalled && (try? Command.path(of: "ldns-signzone")) != nil

    /// True if this machine has the loopback address of IPv6.
    public static let hasIPv6 =
        (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8))?
        .contains("00000000000000000000000000000001 ") ?? false

    /// How the zone is served.
    public enum Signing: Hashable, Sendable {
        /// As it is.
        case none
        /// With signatures; in the signed zone some text is then replaced by other text.
        case signed(replacing: [String: String])
    }

    /// The server as the resolver's options want it.
    public let nameserver: Nameserver
    /// The same server at the loopback address of IPv6, if there is one.
    public var nameserver6: Nameserver { Nameserver(.v6(1), port: nameserver.port) }
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
    /// - Throws: what a program that did not do its part has written.
    public init(_ zone: String, signing: Signing = .none) throws {
        directory = try TemporaryDirectory("signet-nsd")
        try directory.write(NSDConfiguration.rootApex + zone + "\n", to: "root.zone")
        switch signing {
        case .none: trustAnchorFile = nil
        case .signed(let replacements):
            trustAnchorFile = try Self.sign(in: directory, replacements)
        }
        // Not of the kernel's range: a resolver's socket in another test could take it before nsd does.
        let port = try LoopbackPort.free()
        nameserver = Nameserver(.v4(0x7f00_0001), port: port)
        process = try Self.start(
            in: directory, port: port, file: trustAnchorFile == nil ? "root.zone" : "root.signed")
        _ = try wait(for: "nsd to accept on port \(port)", seconds: 10) {
            LoopbackSockets.accepts(port: port) ? true : nil
        }
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
            NSDConfiguration(
                path: path, addresses: ["127.0.0.1@\(port)"] + (hasIPv6 ? ["::1@\(port)"] : []),
                zones: NSDConfiguration.root(file)
            ).text, to: "nsd.conf")
        return try ChildProcess(try Command.path(of: "nsd"), ["-d", "-c", configuration])
    }

    /// Signs the zone and returns the path of its trust anchor.
    private static func sign(
        in directory: TemporaryDirectory, _ replacements: [String: String]
    ) throws -> String {
        // The programs write beside where they are started.
        let key = try Command.require(
            "sh",
            [
                "-c", "cd \"$1\" && ldns-keygen -a ED25519 -k -r /dev/urandom .", "sh",
                directory.path,
            ])
        let base = key.trimmingCharacters(in: .whitespacesAndNewlines)
        let signed = directory.file("root.signed")
        try Command.require(
            "ldns-signzone",
            ["-o", ".", "-f", signed, directory.file("root.zone"), directory.file(base)])
        var text = try String(contentsOfFile: signed, encoding: .utf8)
        for (old, new) in replacements { text = text.replacingOccurrences(of: old, with: new) }
        try directory.write(text, to: "root.signed")
        return directory.file(base + ".key")
    }
}
