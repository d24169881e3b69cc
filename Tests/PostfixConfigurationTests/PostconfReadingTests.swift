import Foundation
import TestKit
import Testing

@testable import PostfixConfiguration

/// What main.cf and master.cf say to us is what they say to Postfix.
@Suite struct PostconfReadingTests {
    private static let stock = "/usr/share/postfix/main.cf.debian"

    private static func files() throws -> [(String, [UInt8])] {
        try SampleFile.mains.map { ($0, try SampleFile.main($0)) } + [
            (stock, Array(try Data(contentsOf: URL(filePath: stock))))
        ]
    }

    @Test func `settings are those that postconf prints`() throws {
        for (name, octets) in try Self.files() {
            let main = MainConfiguration(octets)
            let expected = try PostconfOracle(main: octets).values(["-n"])
            let ours = expected.keys.reduce(into: [:]) {
                $0[$1] = main.setting($1)?.value.collapsingSpace
            }
            #expect(ours == expected, "\(name)")
            #expect(main.faults.isEmpty, "\(name)")
        }
    }

    @Test func `references are expanded as postconf does it`() throws {
        for (name, octets) in try Self.files() {
            let host = try #require(PostconfOracle().values(["-d", "myhostname"])["myhostname"])
            let defaults = ParameterDefaults(.v3_7, hostName: host)
            let values = ParameterValues(MainConfiguration(octets), defaults: defaults)
            let expected = try PostconfOracle(main: octets).values(["-nx"])
            let ours = expected.keys.reduce(into: [:]) {
                $0[$1] = values[$1]?.collapsingSpace
            }
            #expect(ours == expected, "\(name)")
        }
    }

    @Test func `of several settings the last holds and the others are known by line`() throws {
        let main = MainConfiguration(try SampleFile.main("twice"))
        #expect(main.setting("mydestination")?.line == 8)
        #expect(main.replaced("mydestination").map(\.line) == [4, 6])
        #expect(main.replaced("mydestination").map(\.value) == ["one", "two  three"])
        #expect(main.namesSetTwice == ["smtpd_recipient_restrictions", "mydestination"])
    }

    @Test func `services and their options are those that postconf prints`() throws {
        for file in ["services.master.cf", "/usr/share/postfix/master.cf.dist"] {
            let octets =
                file.hasPrefix("/")
                ? Array(try Data(contentsOf: URL(filePath: file))) : try SampleFile.octets(file)
            let master = MasterConfiguration(octets)
            let oracle = try PostconfOracle(master: octets)
            var options: [String: String] = [:]
            for service in master.services {
                for option in service.options {
                    options["\(service.key)/\(option.name)"] = option.value
                }
            }
            #expect(try options == oracle.values(["-P"]), "\(file)")
            var fields: [String: String] = [:]
            let names = ["private", "unprivileged", "chroot", "wakeup", "process_limit"]
            for service in master.services {
                for (name, column) in zip(names, service.columns) {
                    fields["\(service.key)/\(name)"] = column
                }
                fields["\(service.key)/service"] = service.name
                fields["\(service.key)/type"] = service.type
            }
            let expected = try oracle.values(["-F"]).filter { !$0.key.hasSuffix("/command") }
            #expect(fields == expected, "\(file)")
            #expect(master.faults.isEmpty, "\(file)")
        }
    }

    @Test func `an option of master.cf stands before main.cf, and is known by its line`() throws {
        let main = MainConfiguration(Array("smtpd_milters = unix:a\nfoo = $smtpd_milters\n".utf8))
        let master = MasterConfiguration(try SampleFile.octets("services.master.cf"))
        let values = ParameterValues(main, defaults: ParameterDefaults(.v3_7, hostName: "h"))
        let smtp = values.of(try #require(master.service("smtp/inet")))
        #expect(smtp.list("foo") == ["unix:signet/dkim.sock", "unix:signet/dmarc.sock"])
        #expect(smtp.raw("smtpd_milters")?.source == .masterOption(line: 3))
        #expect(smtp.raw("smtpd_client_restrictions")?.source == .masterOption(line: 5))
        #expect(values.raw("smtpd_milters")?.source == .main(line: 1))
        #expect(values.raw("relayhost")?.source == .default)
        #expect(values.raw("no_such_parameter") == nil)
        #expect(values.undefinedNames(in: "$nope ${myhostname}") == ["nope"])
        let submission = values.of(try #require(master.service("submission/inet")))
        #expect(submission.list("smtpd_milters").isEmpty)
        #expect(submission["smtpd_tls_security_level"] == "may")
    }

    @Test func `an option may be attached, and one behind the program's own words is none`() {
        // As getopt(3) has it; postconf 3.7 misreads the first.
        let master = MasterConfiguration(
            Array("m unix - n n - - pipe -oa=b -v -o{c=d e} flags=x -o f=g\n".utf8))
        #expect(master.services.first?.options.map(\.name) == ["a", "c"])
        #expect(master.services.first?.options.map(\.value) == ["b", "d e"])
    }

    @Test(arguments: [("-", "0", true), ("-", "3.6", false), ("y", "3.6", true), ("n", "0", false)])
    func `chroot depends on the compatibility level`(
        _ column: String, _ level: String, _ isChrooted: Bool
    ) throws {
        let master = MasterConfiguration(Array("smtp inet n - \(column) - - smtpd\n".utf8))
        let main = MainConfiguration(Array("compatibility_level = \(level)\n".utf8))
        let values = ParameterValues(main, defaults: ParameterDefaults(.v3_7, hostName: "h"))
        #expect(try #require(master.services.first).isChrooted(values) == isChrooted)
    }

    @Test(arguments: [
        ("x = 1\nnoequals\n", 2, true), ("= 1\n", 1, true), ("  x = 1\ny = 2\n", 1, false),
    ])
    func `what Postfix refuses is a fault with its line`(
        _ text: String, _ line: Int, _ isFatal: Bool
    ) throws {
        let main = MainConfiguration(Array(text.utf8))
        #expect(main.faults.map(\.line) == [line])
        #expect(main.faults.first?.isFatal == isFatal)
        let answer = try? PostconfOracle(main: Array(text.utf8)).run(["-n"])
        #expect((answer == nil) == isFatal)
    }

    @Test(arguments: [
        "${myhostname", "$", "$(x", "${}", "${a b}", "${{a} == {b}", "${{a} ~ {b}?x}", "${x?{a}b}",
        "$myorigin",
    ])
    func `what Postfix cannot expand is a fault`(_ value: String) throws {
        let octets = Array("myorigin = \(value)\nx = \n".utf8)
        let values = ParameterValues(
            MainConfiguration(octets), defaults: ParameterDefaults(.v3_7, hostName: "h"))
        #expect(throws: ExpansionFault.self) { try values.value("myorigin") }
        #expect(throws: TestKitError.self) {
            try PostconfOracle(main: octets).run(["-x", "myorigin"])
        }
    }

    @Test(arguments: [
        ("a,b c", ["a", "b", "c"]), ("  ", []), ("{ a, b } c", ["{ a, b }", "c"]),
        ("a,,\tb,", ["a", "b"]), ("{a", ["{a"]),
    ])
    func `lists are separated by commas and white space`(_ text: String, _ items: [String]) {
        #expect(PostfixList.items(text) == items)
    }

    @Test func `an endpoint may have settings of its own`() {
        let item = PostfixList.endpoint("{ inet:a:1, default_action=accept, { protocol = 6 } }")
        #expect(item.address == "inet:a:1")
        #expect(item.settings.map(\.name) == ["default_action", "protocol"])
        #expect(PostfixList.endpoint("unix:a").address == "unix:a")
    }

    @Test(arguments: PostfixRelease.allCases)
    func `defaults are Postfix's`(_ release: PostfixRelease) throws {
        var printed = MainConfiguration(Array(try Command.require("postconf", ["-d"]).utf8))
        if printed.setting("mail_version").map({ PostfixRelease(version: $0.value) }) != release {
            // The machine has the other one.
            let debian = release == .v3_7 ? "bookworm" : "trixie"
            let root = try DebianRoot(debian, packages: ["postfix"]).path
            printed = MainConfiguration(
                Array(try Command.require("chroot", [root, "postconf", "-d"]).utf8))
        }
        let version = try #require(printed.setting("mail_version")?.value)
        try #require(PostfixRelease(version: version) == release, "\(version)")
        let defaults = ParameterDefaults(release, hostName: "h.example.org")
        #expect(defaults["myhostname"] == "h.example.org")
        for name in defaults.names where !["myhostname", "mynetworks"].contains(name) {
            // White space in the table serves its layout.
            let ours = defaults[name]?.filter { $0 != " " }
            #expect(ours == printed.setting(name)?.value.filter { $0 != " " }, "\(name)")
        }
    }

    @Test(arguments: [
        ("myhostname = mx.example.org", "example.org"), ("myhostname = mx", "localdomain"),
        ("myhostname = mx.$mydomain\nmydomain = a.b", "a.b"), ("", "example.net"),
    ])
    func `mydomain follows myhostname`(_ main: String, _ domain: String) {
        let values = ParameterValues(
            MainConfiguration(Array(main.utf8)),
            defaults: ParameterDefaults(.v3_7, hostName: "host.example.net"))
        #expect(values["mydomain"] == domain)
    }
}
