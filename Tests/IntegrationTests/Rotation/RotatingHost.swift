import Foundation
import TestKit
import Testing

/// A host whose keys rotate: Postfix, signet-dkim over a KeyDirectory, and the command over the same.
struct RotatingHost {
    let signing: SigningHost
    let directory: TemporaryDirectory
    let daemon: DaemonProcess
    /// The keys' folder.
    let keys: String
    private let place: SSHServer.Place?
    private let configuration: String
    private let rotation: String

    /// Starts it.
    ///
    /// - Parameters:
    ///   - rotation: rotate.conf.
    ///   - path: where the command sees the keys' folder, where that is not its own path.
    /// - Throws: why something does not start.
    init(_ rotation: String, seenAt path: String? = nil) throws {
        signing = try SigningHost()
        directory = try TemporaryDirectory("signet-rotate")
        keys = try directory.makeDirectory("keys", mode: 0o700)
        place = path.map { [keys] in SSHServer.Place(keys, at: $0) }
        configuration = try directory.write("KeyDirectory \(path ?? keys)\n", to: "dkim.conf")
        self.rotation = try directory.write(rotation, to: "rotate.conf")
        daemon = try DaemonProcess(
            "signet-dkim",
            configuration: """
                KeyDirectory \(keys)
                Socket unix:\(signing.postfix.socketPath("dkim"))

                """)
    }

    private func command(_ words: [String]) throws -> [String] {
        var command = [try DaemonProcess.path(of: "signet"), "key"] + words
        command += ["-x", configuration]
        if !["list", "status"].contains(words[0]) { command += ["--rotation-config", rotation] }
        return place?.command(command) ?? command
    }

    /// Runs `signet key` to its end.
    @discardableResult
    func signet(_ words: String...) throws -> Command.Result {
        let command = try command(words)
        return try Command.run(command[0], Array(command.dropFirst()))
    }

    /// Starts `signet key` and kills it after a time.
    func signetKilled(_ words: String..., after microseconds: UInt32) throws {
        let command = try command(words)
        let process = try ChildProcess(
            command[0], Array(command.dropFirst()), descriptors: [.null(as: 1), .null(as: 2)])
        usleep(microseconds)
        process.kill()
    }

    /// Writes rotate.conf anew.
    func configure(_ text: String) throws {
        try directory.write(text, to: "rotate.conf")
    }

    /// Adds lines to rotate.conf.
    func append(_ text: String) throws {
        try configure(try String(contentsOfFile: rotation, encoding: .utf8) + text)
    }

    /// The selectors that sign.
    func signers() throws -> [String] {
        let text = try String(contentsOfFile: "\(keys)/example.org/signing", encoding: .utf8)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }

    /// The selectors whose private keys are there.
    func selectors() throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(keys)/example.org")
        let suffix = ".private"
        return Set(
            files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) })
    }

    /// Sends a message, and has a receiver that asks a server verify it.
    func expectVerified(_ name: String, at servers: PrivateServers) throws {
        let client = try signing.postfix.connect()
        try client.ehlo()
        _ = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], SigningHost.message(name))
        let message = try signing.sink.waitForMessage(containing: "\(name)@example.org")
        let path = try directory.write(message.bytes, to: "message")
        let result = try Command.run(
            try DaemonProcess.path(of: "signet"),
            ["check", path, "--nameserver", "\(servers.secondary)", "--json"])
        let signatures = message.values(of: "DKIM-Signature").count
        let passes = result.output.components(separatedBy: "\"result\" : \"pass\"").count - 1
        #expect(signatures > 0 && passes >= signatures, "\(name): \(result.output)")
        try client.quit()
    }
}
