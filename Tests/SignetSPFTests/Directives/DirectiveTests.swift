import Configuration
import DaemonKit
import Foundation
import TestKit
import Testing

@testable import signet_spf

/// Every directive of the peer's pages: known here, with its class.
struct DirectiveTests {
    /// All that policyd-spf.conf(5) and policyd-spf.peruser(5) name, in their order.
    static let peers = [
        "debugLevel", "TestOnly", "defaultSeedOnly", "HELO_reject", "HELO_pass_restriction",
        "Mail_From_reject", "Mail_From_pass_restriction", "No_Mail", "Reject_Not_Pass_Domains",
        "PermError_reject", "TempError_Defer", "Prospective", "skip_addresses", "Whitelist",
        "HELO_Whitelist", "Domain_Whitelist", "Domain_Whitelist_PTR", "SPF_Enhanced_Status_Codes",
        "Header_Type", "Hide_Receiver", "Authserv_Id", "Lookup_Time", "Whitelist_Lookup_Time",
        "Void_Limit", "Mock", "QueueID", "Reason_Message", "Per_User", "Socket", "PidFile",
        "UserID", "UMask", "InternalHosts", "MacroList",
    ]

    /// Ours alone.
    static let ours = [
        "IgnoreAuthenticatedClients", "DNSTimeout", "Nameservers", "TrustAnchorFile",
        "FlightRecord", "FlightRecordLimit", "FlightRecordPrivacy", "Metrics", "Shadow",
    ]

    private let schema = SignetSPF.description.schema

    @Test(arguments: peers + ours)
    func `is known and has a meaning`(_ name: String) throws {
        let spec = try #require(schema[name])
        #expect(!spec.meaning.isEmpty)
        if name == "MacroList" {
            guard case .refused = spec.support else {
                Issue.record("MacroList would let clients through unchecked")
                return
            }
        } else {
            guard case .implemented = spec.support else {
                Issue.record("\(name) does nothing")
                return
            }
        }
    }

    private static let project = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../..").standardized.path

    /// The peer's pages at hand, or as its Debian package installs them.
    private static let page = try? Shared.text("peer-manpages/policyd-spf.conf.txt")

    @Test(.enabled(if: page != nil, "the peer's page is not at hand"))
    func `the list has every directive that the page gives a value`() throws {
        let page = try #require(Self.page)
        let settings = page.matches(of: #/\n {7}([A-Za-z_]+) = /#)
        let typed = page.matches(of: /\n {7}([A-Z][A-Za-z]+) \((?:string|integer|dataset)\)/)
        let names = settings.map { String($0.1) } + typed.map { String($0.1) }
        #expect(names.count > 20)
        #expect(Set(names).subtracting(Self.peers) == [])
    }

    @Test func `the manual page lists every directive`() throws {
        let text = try String(
            contentsOfFile: Self.project + "/packaging/man/signet-spf.conf.5", encoding: .utf8)
        for spec in schema.directives {
            #expect(text.contains("\n.It Cm \(spec.name)"), "\(spec.name)")
        }
    }

    @Test func `defaults need no word`() {
        #expect(read("").problems.isEmpty)
    }

    @Test func `the peer's default configuration is read as it stands, in each form`() {
        let lines = [
            "debugLevel = 1 ", "TestOnly = 1", "", "HELO_reject = Fail", "Mail_From_reject = Fail",
            "PermError_reject = False", "TempError_Defer = False",
            "skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1",
        ]
        for separator in [" = ", "=", " ", ": "] {
            let text = lines.map { $0.replacingOccurrences(of: " = ", with: separator) }
            let (configuration, problems) = read(text.joined(separator: "\n"))
            #expect(problems.isEmpty, "\(problems)")
            #expect(!configuration.policy.isTest)
            #expect(configuration.policy.helo == .fail)
        }
    }

    /// What would be dangerous to go on with, and where policyd-spf ends or fails for each message.
    @Test(arguments: [
        ("TestOnly = yes", "whole number"), ("Void_Limit = two", "whole number"),
        ("Lookup_Time = soon", "is not a time"), ("Hide_Receiver = perhaps", "neither yes nor no"),
        ("Prospective = mail.example", "is not an IP address"),
        ("MacroList = a", "passes no macros"), ("Per_User = ldap,x", "does not name a file"),
        ("Whitelist = !10.0.0.0/99", "not an address"),
        ("Nameservers = dns.example", "dns.example"), ("Socket = unix:spf.sock", "is relative"),
    ])
    func `a dangerous mistake is an error with its line`(_ line: String, _ message: String) {
        let problems = read("# spf\n\(line)\n").problems
        #expect(problems.map(\.severity) == [.error], "\(problems)")
        #expect(problems[0].description.hasPrefix("spf.conf:2:1: error: "), "\(problems)")
        #expect(problems[0].message.contains(message), "\(problems)")
    }

    /// policyd-spf goes on, so that such a file must not stop mail.
    @Test(arguments: [
        ("HELO_reject = maybe", "is not one of its values: the default holds"),
        ("Lookup_Time = 0", "0 is out of range: 1 is taken"),
        ("Void_Limit = -1", "-1 is out of range: 0 is taken"),
        ("Whitelist_Lookup_Time = 1000", "1000 is out of range: 300 is taken"),
        ("Whitelist = 10.0.0.0/99", "is not an address or network: left out"),
        ("skip_addresses = 127.0.0.0/8,localhost!", ": left out"),
        ("Domain_Whitelist = a..b", "is not a domain name: left out"),
        ("Reject_Not_Pass_Domains = a..b", ": left out"),
        ("Colour = red", "unknown directive: ignored, as by policyd-spf"),
        ("Authserv_Id =", "has no value: the default holds"),
        ("TempError_Defer = maybe", "neither yes nor no: the default holds"),
        ("Reason_Message = {nobody}", "is not one of its placeholders"),
        ("Reason_Message = {spf", "without its pair"),
        ("Header_Type = both sides", "is not one of its values"),
        ("= Fail", "not a directive: "), ("Whitelist = file:/nonexistent", ": left out"),
    ])
    func `a mistake that the peer passes over is a warning with its line`(
        _ line: String, _ message: String
    ) {
        let (configuration, problems) = read("# spf\n\(line)\nTempError_Defer = True\n")
        #expect(problems.filter { $0.severity > .notice }.map(\.severity) == [.warning])
        let problem = problems.first { $0.severity == .warning }
        #expect(problem?.description.hasPrefix("spf.conf:2:1: warning: ") == true, "\(problems)")
        #expect(problem?.description.contains(message) == true, "\(problems)")
        #expect(configuration.policy.defersTempError)
        #expect(configuration.policy.helo == .fail)
    }

    @Test(arguments: [
        ("TestOnly = 0", ConfigurationProblem.Severity.notice), ("defaultSeedOnly = 1", .notice),
        ("Header_Type = AR", .warning), ("HELO_reject = SPF_Not_Pass", .warning),
        ("Reason_Message = See {url}", .warning), ("Lookup_Time = 50", .warning),
        ("Whitelist = 192.0.2.1/24", .warning),
    ])
    func `what is probably not meant so is told`(
        _ line: String, _ severity: ConfigurationProblem.Severity
    ) {
        #expect(read(line).problems.map(\.severity) == [severity])
    }

    @Test(arguments: ["Header_Type = SPF,AR", "Header_Type = both"])
    func `both fields have a warning and a notice`(_ line: String) {
        #expect(read(line).problems.map(\.severity) == [.warning, .notice])
    }

    @Test func `DNSTimeout is Lookup_Time where that is not given`() {
        #expect(read("").configuration.lookupSeconds == 20)
        #expect(read("DNSTimeout 7").configuration.lookupSeconds == 7)
        #expect(read("DNSTimeout 7\nLookup_Time 9").configuration.lookupSeconds == 9)
    }
}
