import Foundation
import Testing

@testable import Configuration

/// The configurations that guides and Debian's packages hand out, where they are at hand: every line must be a statement.
///
/// They are looked for in `$SIGNET_FIXTURES` and in `../shared/fixtures`.
@Suite struct FixtureTests {
    static let folder: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../shared/fixtures").standardized.path
        let path = ProcessInfo.processInfo.environment["SIGNET_FIXTURES"] ?? root
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    @Test(
        .enabled(if: folder != nil, "no fixtures here"),
        arguments: [
            ("tutorial-opendkim/opendkim.conf", 14, "Socket", "inet:12145@localhost"),
            ("guide-opendmarc/opendmarc.conf", 13, "IgnoreHosts", "/etc/opendmarc/ignore.hosts"),
            ("debian-defaults/opendkim.conf", 9, "OversignHeaders", "From"),
            ("debian-defaults/opendmarc.conf", 6, "UMask", "0002"),
            (
                "debian-defaults/policyd-spf.conf", 7, "skip_addresses",
                "127.0.0.0/8,::ffff:127.0.0.0/104,::1"
            ),
            ("debian-defaults/dkimpy-milter.conf", 4, "UserID", "dkimpy-milter"),
        ])
    func `a peer's file is read whole`(
        _ name: String, _ count: Int, _ directive: String, _ value: String
    ) throws {
        let path = try #require(Self.folder) + "/" + name
        let statements = ConfigurationFile.statements(path: path) { Issue.record("\($0)") }
        #expect(statements.count == count)
        #expect(statements.allSatisfy { !$0.value.isEmpty })
        #expect(statements.first { $0.name == directive }?.value == value)
    }

    @Test(.enabled(if: folder != nil, "no fixtures here"))
    func `the tutorial's tables are read`() throws {
        let folder = try #require(Self.folder) + "/tutorial-opendkim"
        let reader = reader(
            """
            InternalHosts refile:\(folder)/TrustedHosts
            KeyTable refile:\(folder)/KeyTable
            SigningTable refile:\(folder)/SigningTable
            """)
        let hosts = try #require(reader.peerSet("InternalHosts"))
        #expect(hosts.contains(hostName: "mx.yourdomain.com", address: nil))
        let signing = try #require(reader.dataSet("SigningTable"))
        let name = try #require(signing.firstEntry(matching: "me@yourdomain.com")?.value)
        let key = try #require(reader.dataSet("KeyTable")?.firstEntry(matching: name))
        #expect(key.fields(atMost: 3).first == "yourdomain.com")
        #expect(reader.problems.map(\.severity) == [.warning])
    }
}
