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
        let message = Array(
            Mail.ordinary.description.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n")
                .utf8)
        for perSession in [1, 5] {
            var times: [String: [Double]] = [:]
            for _ in 0..<messages / perSession {
                for name in ["plain", "milter"] {
                    let client = try postfix.connect(name)
                    try client.ehlo()
                    for _ in 0..<perSession {
                        let start = wallMicroseconds()
                        let reply = try client.deliver(
                            from: "ann@example.org", to: ["bob@example.com"], message)
                        times[name, default: []].append((wallMicroseconds() - start) / 1000)
                        guard reply.isPositive else {
                            throw TestKitError("Postfix answered \(reply)")
                        }
                    }
                    try client.quit()
                }
            }
            let added = (times["milter"] ?? []).median - (times["plain"] ?? []).median
            Report.limit(
                "ms added to a message over TCP, \(perSession) in a session, median", added,
                atMost: 2)
        }
    }
}
