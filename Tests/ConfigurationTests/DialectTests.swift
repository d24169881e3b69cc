import Testing

@testable import Configuration

/// One line of a configuration and what it must be read as.
struct DialectCase: Sendable, CustomTestStringConvertible {
    let line: String
    let name: String
    let value: String
    var testDescription: String { line.debugDescription }

    init(_ line: String, _ name: String, _ value: String) {
        self.line = line
        self.name = name
        self.value = value
    }

    static let all = [
        DialectCase("Syslog yes", "Syslog", "yes"),
        DialectCase("  Syslog\t\tyes  ", "Syslog", "yes"),
        DialectCase("Syslog yes # a comment", "Syslog", "yes"),
        DialectCase("Syslog yes\r", "Syslog", "yes"),
        DialectCase("debugLevel = 1 ", "debugLevel", "1"),
        DialectCase("debugLevel=1", "debugLevel", "1"),
        DialectCase("debugLevel =1", "debugLevel", "1"),
        DialectCase("Mode: sv", "Mode", "sv"),
        DialectCase("Mode:sv", "Mode", "sv"),
        DialectCase("Mode : sv", "Mode", "sv"),
        DialectCase("Nameservers ::1", "Nameservers", "::1"),
        DialectCase("Nameservers: ::1", "Nameservers", "::1"),
        DialectCase("Socket local:/run/x.sock", "Socket", "local:/run/x.sock"),
        DialectCase("Socket = inet:8891@localhost", "Socket", "inet:8891@localhost"),
        DialectCase("On-DNSError accept", "On-DNSError", "accept"),
        DialectCase("Mail_From_reject = Fail", "Mail_From_reject", "Fail"),
        DialectCase("MacroList csl:daemon_name=a|b", "MacroList", "csl:daemon_name=a|b"),
        DialectCase("AuthservID", "AuthservID", ""),
        DialectCase("AuthservID =", "AuthservID", ""),
        DialectCase("\u{FEFF}Syslog yes", "Syslog", "yes"),
    ]
}

@Suite struct DialectTests {
    @Test(arguments: DialectCase.all)
    func `a line is taken apart`(_ line: DialectCase) throws {
        var problems: [ConfigurationProblem] = []
        let statements = ConfigurationFile.statements(text: Array(line.line.utf8), file: "f") {
            problems.append($0)
        }
        #expect(problems.isEmpty)
        let statement = try #require(statements.first)
        #expect(statement.name == line.name)
        #expect(statement.value == line.value)
        #expect(statements.count == 1)
    }

    @Test(arguments: ["", "   ", "# only a comment", "\t# Syslog yes", "\r"])
    func `a line may say nothing`(_ line: String) {
        let statements = ConfigurationFile.statements(text: Array(line.utf8), file: "f") {
            Issue.record("\($0)")
        }
        #expect(statements.isEmpty)
    }

    @Test(arguments: [
        ("Syslog\u{0}yes", "f:1: error: a NUL byte: this is not a text file"),
        ("# \u{0}", "f:1: error: a NUL byte: this is not a text file"),
        ("Sys\rlog yes", "f:1:4: error: a carriage return in the line"),
        ("Syslog \u{1B}yes", "f:1:8: error: a control character in the line"),
        ("= yes", "f:1:1: error: not a directive"),
        ("\nSyslog/yes", "f:2:1: error: not a directive"),
    ])
    func `a broken line has a place and a reason`(_ text: String, _ message: String) {
        var problems: [ConfigurationProblem] = []
        _ = ConfigurationFile.statements(text: Array(text.utf8), file: "f") { problems.append($0) }
        #expect(problems.count == 1)
        #expect(problems.first?.description.hasPrefix(message) == true)
    }

    @Test func `octets that are not UTF-8 matter in values only`() {
        var problems: [ConfigurationProblem] = []
        let bytes = Array("Syslog yes # ".utf8) + [0xE4] + Array("\nDomain ".utf8) + [0xFC, 0x0A]
        let statements = ConfigurationFile.statements(text: bytes, file: "f") {
            problems.append($0)
        }
        #expect(statements.map(\.name) == ["Syslog"])
        #expect(problems.map(\.description) == ["f:2:1: error: the line is not UTF-8"])
    }

    @Test func `an endless line is an error and the next one is read`() {
        var problems: [ConfigurationProblem] = []
        let text = "Domain " + String(repeating: "a", count: 70_000) + "\nSyslog yes\n"
        let statements = ConfigurationFile.statements(text: Array(text.utf8), file: "f") {
            problems.append($0)
        }
        #expect(statements.map(\.name) == ["Syslog"])
        #expect(problems.map(\.location.line) == [1])
    }
}
