import Foundation
import MailDNS
import TestKit

/// A host whose keys rotate by one of the methods, with the servers that this needs.
struct RotationMethodSetting {
    /// The ways to change records.
    enum Method: String, CaseIterable, Sendable {
        case show, nsupdate, hook, zonefile, cname
    }

    let method: Method
    let servers: PrivateServers
    let host: RotatingHost

    /// The zone of ours to which the selectors of --dns cname point.
    private static let ours = "keys.example.net"

    init(_ method: Method, _ pace: RotationPace) throws {
        self.method = method
        var times = PrivateServers.Times()
        (times.lag, times.negative) = (pace.lag, pace.negative)
        let zones =
            method == .cname
            ? [
                PrivateServers.Zone("example.org", records: Self.aliases),
                PrivateServers.Zone(Self.ours),
            ] : [PrivateServers.Zone("example.org")]
        servers = try PrivateServers(zones, times, takesUpdates: method != .zonefile)
        host = try RotatingHost("")
        try host.configure(
            try directives() + pace.directives
                + "AuthoritativeServers \(servers.primary), \(servers.secondary)\n")
    }

    /// What the owner of the domain publishes once.
    private static var aliases: String {
        ["signet1", "signet2", "signet1-ed25519", "signet2-ed25519"].map {
            "\($0)._domainkey CNAME \($0)._domainkey.example.org.\(ours).\n"
        }.joined()
    }

    private func directives() throws -> String {
        let update = "UpdateKey \(servers.keyFile)\nUpdateServer \(servers.primary)\n"
        switch method {
        case .show: return "Method show\n"
        case .nsupdate: return "Method nsupdate\n\(update)UpdateZone example.org\n"
        case .cname:
            return "Method nsupdate\n\(update)UpdateZone \(Self.ours)\nAliasZone \(Self.ours)\n"
        case .hook: return "Method hook\nHook \(try hook())\n"
        case .zonefile:
            return
                "Method zonefile\nZoneDirectory \(servers.zoneDirectory)\nZoneReload \(servers.reloader)\n"
        }
    }

    /// The hook of the package as it stands, but for the key and the server.
    private func hook() throws -> String {
        let example = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../../../packaging/examples/rotate/hook-nsupdate")
            .standardized
        let text = try String(contentsOf: example, encoding: .utf8)
            .replacing("/etc/signet/rotate.key", with: servers.keyFile)
            .replacing(
                "server=ns1.example.com", with: "server='127.0.0.1 \(servers.primary.port)'")
        return try host.directory.write(text, to: "hook", mode: 0o755)
    }

    /// Does what `Method show` asks a person to do.
    func obey(_ output: String) throws {
        guard method == .show else { return }
        let lines = output.split(separator: "\n").map(String.init)
        for (number, line) in lines.enumerated() {
            let words = line.split(separator: " ")
            if line.hasPrefix("publish at "), words.count > 2, number + 1 < lines.count {
                let value = lines[number + 1].trimmingCharacters(in: .whitespaces)
                let ttl = line.firstMatch(of: /TTL (\d+)/)?.1 ?? "60"
                try servers.update([
                    "zone example.org", "update delete \(words[2]). TXT",
                    "update add \(words[2]). \(ttl) TXT \(Self.strings(value))",
                ])
            } else if line.hasPrefix("remove the TXT record at "), let name = words.last {
                try servers.update(["zone example.org", "update delete \(name). TXT"])
            }
        }
    }

    private static func strings(_ value: String) -> String {
        stride(from: 0, to: value.count, by: 200)
            .map { "\"\(value.dropFirst($0).prefix(200))\"" }.joined(separator: " ")
    }
}
