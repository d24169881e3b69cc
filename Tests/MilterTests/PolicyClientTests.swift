import TestKit
import Testing

/// A milter that is written in check_policy_service by mistake.
@Suite struct PolicyClientTests {
    @Test(arguments: ["native", "libmilter"], [Probe.Transport.unix, .inet])
    func isAnsweredAtOnceAndLoggedOnce(transport: String, socket: Probe.Transport) throws {
        let probe = try Probe("events=all", "transport=\(transport)", over: socket)
        let answer = Array("action=451 4.3.5 Server configuration problem\n\n".utf8)
        for _ in 0..<3 {
            let client = try StreamSocket(probe.address)
            client.write(Array("request=smtpd_access_policy\nprotocol_state=RCPT\n\n".utf8))
            try client.flush()
            #expect(try client.read(answer.count) == answer)
            #expect(throws: StreamError.closed) { try client.read(1) }
        }
        _ = try probe.process.line("problem")
        probe.process.tell("drain")
        #expect(try probe.process.waitForExit() == 0)
        let problems = probe.process.lines.filter { $0.hasPrefix("problem ") }
        #expect(
            problems == [
                "problem a client speaks the policy protocol, and this is a milter; "
                    + "write it in smtpd_milters, not check_policy_service"
            ])
    }
}
