import Configuration
import DaemonKit
import TestKit
import Testing

@testable import signet_spf

/// Recipients with settings of their own (policyd-spf.peruser(5)).
struct PerUserTests {
    private func desk(_ table: String, _ settings: String = "") throws -> Desk {
        let directory = try TemporaryDirectory()
        let path = try directory.write(table, to: "users")
        return try withExtendedLifetime(directory) {
            try Desk("Per_User = text,\(path)\n\(settings)")
        }
    }

    @Test func `each recipient has his own policy, and a message one field`() throws {
        let desk = try desk(
            """
            # a comment
            strict@mx.example,PermError_reject=True|HELO_reject=SPF_Not_Pass|TempError_Defer=True
            *@mild.example,Mail_From_reject=False
            first@order.example,Mail_From_reject=False
            *@order.example,Mail_From_reject=Softfail

            """)
        #expect(desk.ask(from: "a@permerror.example").hasPrefix("PREPEND"))
        let strict = desk.ask(from: "a@permerror.example", to: "Strict@mx.example")
        #expect(strict.hasPrefix("550 5.7.24"))
        #expect(desk.ask(from: "a@permerror.example", to: "third@mx.example") == "DUNNO")

        let fail = "a@fail.example"
        #expect(desk.ask(from: fail, instance: "2").hasPrefix("550"))
        #expect(desk.ask(from: fail, to: "b@mild.example", instance: "2").hasPrefix("PREPEND"))
        #expect(desk.ask(from: fail, to: "c@mild.example", instance: "2") == "DUNNO")
        #expect(desk.ask(from: fail, instance: "2").hasPrefix("550"))

        #expect(desk.ask(from: fail, to: "first@order.example", instance: "3").hasPrefix("PREPEND"))
        #expect(desk.ask(from: fail, to: "other@order.example", instance: "3").hasPrefix("550"))
    }

    @Test func `recipients may differ in limits and exemptions`() throws {
        let desk = try desk(
            "patient@mx.example,Void_Limit=5\nfriend@mx.example,Whitelist=192.0.2.0/24\n")
        let sender = "a@voids.example"
        #expect(desk.ask(from: sender).contains("Permerror"))
        #expect(desk.ask(from: sender, to: "patient@mx.example", instance: "2").contains("Pass"))
        #expect(desk.ask(from: sender, instance: "2") == "DUNNO")
        #expect(
            desk.ask(from: "a@fail.example", to: "friend@mx.example", instance: "3").hasPrefix(
                "PREPEND X-Comment"))
        #expect(desk.ask(from: "a@fail.example", instance: "3").hasPrefix("550"))
    }

    @Test func `the example of the peer's page is read`() throws {
        let desk = try desk(
            "postmaster@example.com,Mail_From_reject=No_Check|PermError_reject=False|"
                + "HELO_reject=SPF_Not_Pass|TestOnly=1|debugLevel=5|"
                + "skip_addresses=127.0.0.0/8,::ffff:127.0.0.0//104,::1//128|"
                + "TempError_Defer=False\n")
        let answer = desk.ask(
            helo: "softfail.example", from: "a@fail.example", to: "postmaster@example.com")
        // RFC 7372, section 3.2: 5.7.23 is for a result of fail, and this is softfail.
        #expect(answer.hasPrefix("550 5.7.1 "))
    }

    @Test func `without a recipient the table has no effect, and the log says so`() throws {
        let desk = try desk("strict@mx.example,Mail_From_reject=False\n")
        #expect(desk.ask(from: "a@fail.example", to: "", stage: "DATA").hasPrefix("550"))
        #expect(desk.log.contains { $0.contains("Per_User has no effect") })
    }

    @Test(arguments: [
        ("nonsense\n", "is not a user's", true),
        ("a@b.example,Colour=red\n", "unknown directive", false),
        ("a@b.example,HELO_reject=maybe\n", "is not one of its values", false),
    ])
    func `mistakes are found when the configuration is read`(
        _ table: String, _ message: String, _ isError: Bool
    ) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("# users\n" + table, to: "users")
        let problems = read("Per_User = text,\(path)").problems
        #expect(problems.map(\.severity) == [isError ? .error : .warning])
        #expect(problems.contains { $0.description.hasPrefix("\(path):2") }, "\(problems)")
        #expect(problems.contains { $0.message.contains(message) }, "\(problems)")
    }

    @Test func `a missing table is left out with a warning, a strange one is an error`() {
        let missing = read("Per_User = text,/nonexistent/users").problems
        #expect(missing.map(\.severity) == [.warning])
        #expect(read("Per_User = ldap,/x").problems.hasErrors)
        #expect(read("Per_User = None").problems.isEmpty)
    }
}
