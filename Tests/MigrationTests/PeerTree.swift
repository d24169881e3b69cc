import Foundation
import TestKit

/// A tree that stands for a host with a peer's configuration.
final class PeerTree {
    private let directory: TemporaryDirectory

    var path: String { directory.path }

    /// The configurations that guides and Debian hand out; nil where they are not at hand.
    static let fixtures: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../shared/fixtures").standardized.path
        let path = ProcessInfo.processInfo.environment["SIGNET_FIXTURES"] ?? root
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    /// Makes a host whose files are those given, by their paths without the first slash.
    init(_ files: [String: String]) throws {
        directory = try TemporaryDirectory("signet-peer-tree")
        for (name, text) in files { try write(name, text) }
        if files["etc/passwd"] == nil { try write("etc/passwd", "signet-dkim:x:990:991::/:\n") }
    }

    /// A file of the fixtures.
    static func fixture(_ name: String) throws -> String {
        guard let fixtures else { throw TestKitError("no fixtures here") }
        return try String(contentsOfFile: "\(fixtures)/\(name)", encoding: .utf8)
    }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let folder = name.split(separator: "/").dropLast().joined(separator: "/")
        try directory.makeDirectory(folder)
        try directory.write(text, to: name, mode: mode)
    }

    func text(_ name: String) -> String {
        (try? String(contentsOfFile: directory.file(name), encoding: .utf8)) ?? ""
    }

    /// Makes a private key.
    func writeKey(_ name: String) throws {
        let folder = name.split(separator: "/").dropLast().joined(separator: "/")
        try directory.makeDirectory(folder)
        try Command.require("openssl", ["genrsa", "-out", directory.file(name), "2048"])
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: directory.file(name))
    }

    /// Runs `signet migrate` on the tree.
    @discardableResult
    func migrate(_ arguments: [String] = []) throws -> Command.Result {
        try Command.run(
            DaemonProcess.path(of: "signet"), ["migrate", "--root", path] + arguments)
    }

    /// Everything but the journal, with contents.
    func snapshot() throws -> [String] {
        try Command.require(
            "/bin/sh",
            [
                "-c",
                "cd \"$0\" && find . -path ./var -prune -o -printf '%P %m ' "
                    + "-exec sh -c 'test -f \"$1\" && sha256sum < \"$1\" || echo' _ {} \\;", path,
            ]
        ).split(separator: "\n").map(String.init).sorted()
    }

    /// Has a daemon check its migrated configuration.
    func check(_ name: String) throws -> Command.Result {
        try Command.run(
            DaemonProcess.path(of: "signet-\(name)"),
            ["-n", "-x", try placed(name), "-p", "unix:\(path)/socket", "-u", "root"])
    }

    /// A migrated configuration as a program of this host can read it: a copy with the tree's paths.
    func placed(_ name: String) throws -> String {
        try Command.require("rm", ["-rf", directory.file("here")])
        try directory.makeDirectory("here")
        try Command.require("cp", ["-r", directory.file("etc"), directory.file("here/etc")])
        try Command.require("chown", ["-R", "root:root", directory.file("here")])
        let folder = "here/etc/signet"
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.file(folder))
        where file != "keys" {
            try write(
                "\(folder)/\(file)",
                text("\(folder)/\(file)").replacing("/etc/", with: "\(path)/here/etc/"))
        }
        return directory.file("\(folder)/\(name).conf")
    }
}
