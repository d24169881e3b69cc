internal import Foundation
internal import TestKit

/// What a milter on TCP adds to the time that Postfix takes for a message.
///
/// Each reply is a write of its own: without TCP_NODELAY a message would wait for delayed acknowledgements.
enum OverTCP {
    static func run(messages: Int) throws {
        guard getuid() == 0 else {
            Report.write("- over TCP: skipped, as only root can start a private Postfix")
            return
        }
        let keys = try Keys()
        let sink = try SMTPSink()
        let port = try LoopbackPort.free()
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: keys.directives(keys.ed25519) + "Socket inet:\(port)@127.0.0.1\n")
        defer { daemon.kill() }
        let postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.listeners = [
                .init("plain"), .init("milter", ["smtpd_milters": "inet:127.0.0.1:\(port)"]),
            ]
        }
        var times: [String: [Double]] = [:]
        let clients = try ["plain", "milter"].map { name in
            let client = try postfix.connect(name)
            try client.ehlo()
            return (name, client)
        }
        let message = Array(
            Mail.ordinary.description.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n")
                .utf8)
        for _ in 0..<messages {
            for (name, client) in clients {
                let start = wallMicroseconds()
                let reply = try client.deliver(
                    from: "ann@example.org", to: ["bob@example.com"], message)
                times[name, default: []].append((wallMicroseconds() - start) / 1000)
                guard reply.isPositive else { throw TestKitError("Postfix answered \(reply)") }
            }
        }
        let added = (times["milter"] ?? []).median - (times["plain"] ?? []).median
        Report.limit("ms added to a message through Postfix over TCP, median", added, atMost: 2)
    }
}
