import MailSyntax
import TestKit
import Testing

@testable import Configuration

@Suite struct DataSetTests {
    @Test(arguments: [
        ("a,b", DataSetSource.list(["a", "b"])), ("csl:a, b ,", .list(["a", "b"])),
        ("CSL:a", .list(["a"])), ("a", .list(["a"])), ("/etc/x", .file("/etc/x")),
        ("file:/etc/x", .file("/etc/x")), ("refile:/etc/x", .patterns("/etc/x")),
        ("::1,fe80::/10", .list(["::1", "fe80::/10"])),
        (
            "127.0.0.0/8,::ffff:127.0.0.0/104,::1",
            .list(["127.0.0.0/8", "::ffff:127.0.0.0/104", "::1"])
        ),
        ("daemon_name=a|b", .list(["daemon_name=a|b"])), (".", .list(["."])),
    ])
    func `a data set says where its entries are`(_ text: String, _ source: DataSetSource) throws {
        #expect(try DataSetSource(text) == source)
    }

    @Test(arguments: [
        "db:/x", "dsn:mysql://u:p@3306+h/d/table=t?keycol=k", "ldap://h/d", "ldaps://h",
        "ldapi://h",
        "lua:/x", "mdb:/x", "erlang:n@h:c:m:f", "memcache:h/k", "socket:/x", "/etc/x.db",
        "refiel:/etc/x", "file:etc/x", "refile:x",
    ])
    func `kinds that are not read are refused with a way to go`(_ text: String) throws {
        let reader = reader("KeyTable \(text)")
        #expect(reader.dataSet("KeyTable") == nil)
        let problem = try #require(reader.problems.first)
        #expect(reader.problems.count == 1)
        #expect(problem.severity == .error)
        #expect(problem.location.line == 1)
        #expect(problem.suggestion != nil)
    }

    @Test func `a mistyped kind names the nearest`() {
        let reader = reader("KeyTable refiel:/etc/x")
        _ = reader.dataSet("KeyTable")
        #expect(reader.problems.first?.suggestion == "did you mean refile:?")
    }

    @Test func `a table has keys and values`() throws {
        let folder = try Folder([
            "t": "# keys\nmail._domainkey.a.com\ta.com:mail:/k/a:b.private # ours\n\nlone\n"
        ])
        let reader = reader("KeyTable file:\(folder.file("t"))")
        let set = try #require(reader.dataSet("KeyTable"))
        #expect(set.entries.map(\.key) == ["mail._domainkey.a.com", "lone"])
        let entry = try #require(set.firstEntry(matching: "MAIL._domainkey.a.com"))
        #expect(entry.fields(atMost: 3) == ["a.com", "mail", "/k/a:b.private"])
        #expect(entry.location == SourceLocation(file: folder.file("t"), line: 2, column: 1))
        #expect(set.firstEntry(matching: "lone")?.value == nil)
        #expect(!set.contains("mail"))
        #expect(reader.problems.isEmpty)
    }

    @Test func `case counts when it is asked to`() throws {
        let set = try #require(reader("KeyTable Name").dataSet("KeyTable", isCaseSensitive: true))
        #expect(set.contains("Name"))
        #expect(!set.contains("name"))
    }

    @Test func `patterns are tried in order`() throws {
        let folder = try Folder([
            "t":
                "joe@a.com k0\n*@A.com k1\n*@b.com k2\nj*@*.com k3\n*@a.com k4\n*@x@a.com k5\n* k6\n"
        ])
        let set = try #require(
            reader("SigningTable refile:\(folder.file("t"))").dataSet("SigningTable"))
        #expect(set.firstEntry(matching: "joe@a.com")?.value == "k0")
        #expect(set.firstEntry(matching: "Ann@a.COM")?.value == "k1")
        #expect(set.firstEntry(matching: "joe@c.com")?.value == "k3")
        #expect(set.firstEntry(matching: "joe")?.value == "k6")
        #expect(
            set.allEntries(matching: "joe@a.com").map(\.value) == ["k0", "k1", "k3", "k4", "k6"])
        #expect(set.allEntries(matching: "q@x@a.com").map(\.value) == ["k1", "k4", "k5", "k6"])
    }

    @Test func `addresses are looked up from the most to the least specific`() throws {
        let keys = [
            "u@a.b.com", "a.b.com", "u@.b.com", "u@.com", ".b.com", ".com", "u@*", "*",
        ]
        let domain = try DomainName("A.b.com")
        for first in keys.indices {
            let list = keys[first...].reversed().map { "\($0)=\($0)" }.joined(separator: ",")
            let set = try #require(reader("SigningTable csl:\(list)").dataSet("SigningTable"))
            #expect(set.entries(localPart: "U", domain: domain).map(\.key) == Array(keys[first...]))
        }
    }

    @Test func `two lines for one address are both found`() throws {
        let folder = try Folder(["t": "*@a.com rsa\n*@a.com ed\n"])
        let reader = reader("SigningTable refile:\(folder.file("t"))")
        let set = try #require(reader.dataSet("SigningTable"))
        let entries = set.entries(localPart: "x", domain: try DomainName("a.com"))
        #expect(entries.map(\.value) == ["rsa", "ed"])
    }

    @Test func `what is wrong with a file has the file's place`() throws {
        let folder = try Folder([
            "bad": "ok\nb\u{7}d\n", "long": String(repeating: "*a", count: 1100),
        ])
        let reader = reader(
            """
            KeyTable /nonexistent/t
            SigningTable file:\(folder.file("bad"))
            ExemptDomains refile:\(folder.file("long"))
            """)
        _ = reader.dataSet("KeyTable")
        #expect(reader.dataSet("SigningTable")?.entries.count == 1)
        _ = reader.dataSet("ExemptDomains")
        #expect(
            reader.problems.map(\.description) == [
                "f:1:1: error: KeyTable: /nonexistent/t cannot be read: No such file or directory",
                "\(folder.file("bad")):2:2: error: a control character in the line",
                "\(folder.file("long")):1:1: error: ExemptDomains: "
                    + "a pattern longer than 1024 characters",
            ])
    }

    @Test func `white space in a list is probably a missing comma`() {
        let reader = reader("KeyTable a b,c")
        _ = reader.dataSet("KeyTable")
        #expect(reader.problems.map(\.severity) == [.warning])
    }

    @Test(arguments: [
        ("example.com", true), ("a.example.com", false), ("x.example.org", true),
        ("example.org", false), ("bad.example.org", false), ("y.bad.example.org", true),
        ("xn--bcher-kva.example", true), ("com", false),
    ])
    func `a domain is in the set by its most specific entry`(_ name: String, _ member: Bool) throws
    {
        let reader = reader(
            "ExemptDomains Example.com,.example.org,!bad.example.org,bücher.example")
        let set = try #require(reader.domainSet("ExemptDomains"))
        #expect(set.contains(try DomainName(name)) == member)
        #expect(reader.problems.isEmpty)
    }
}

@Suite struct PeerSetTests {
    /// The entries of a set, a client, and whether it is in the set.
    struct Case: Sendable, CustomTestStringConvertible {
        let entries: String
        let host: String?
        let address: String?
        let isMember: Bool
        var testDescription: String { "\(entries) \(host ?? "-") \(address ?? "-")" }

        init(_ entries: String, _ host: String?, _ address: String?, _ isMember: Bool) {
            self.entries = entries
            self.host = host
            self.address = address
            self.isMember = isMember
        }

        static let lists = [
            Case("127.0.0.1", nil, "127.0.0.1", true),
            Case("127.0.0.1", "localhost", "127.0.0.2", false),
            Case("127.0.0.1", nil, "::ffff:127.0.0.1", true),
            Case("localhost", "localhost", nil, true),
            Case("LocalHost", "localhost.", nil, true),
            Case("mail.example.com", "MAIL.example.com", "192.0.2.1", true),
            Case("example.com", "mail.example.com", "192.0.2.1", false),
            Case(".example.com", "mail.example.com", "192.0.2.1", true),
            Case(".example.com", "a.b.example.com", "192.0.2.1", true),
            Case(".example.com", "example.com", "192.0.2.1", false),
            Case(".example.com", "notexample.com", "192.0.2.1", false),
            Case(".example.com,!bad.example.com", "bad.example.com", "192.0.2.1", false),
            Case(".example.com,!.b.example.com", "a.b.example.com", "192.0.2.1", false),
            Case("!bad.example.com,192.0.2.0/24", "bad.example.com", "192.0.2.1", false),
            Case("!bad.example.com,192.0.2.0/24", "good.example.com", "192.0.2.1", true),
            Case("192.168.0.0/16, 10.0.0.0/8", "[10.1.2.3]", "10.1.2.3", true),
            Case("192.0.2.1,!192.0.2.0/24", nil, "192.0.2.1", true),
            Case("192.0.2.1,!192.0.2.0/24", nil, "192.0.2.2", false),
            Case("!192.0.2.1,192.0.2.0/24", nil, "192.0.2.1", false),
            Case("!192.0.2.1,192.0.2.0/24", nil, "192.0.2.2", true),
            Case("0.0.0.0/0,!10.0.0.0/8,10.1.0.0/16", nil, "10.2.0.1", false),
            Case("0.0.0.0/0,!10.0.0.0/8,10.1.0.0/16", nil, "10.1.0.1", true),
            Case("0.0.0.0/0", nil, "2001:db8::1", false),
            Case("192.168.0.1/24", nil, "192.168.0.77", true),
            Case("192.168.0.0/255.255.255.0", nil, "192.168.0.77", true),
            Case("[192.0.2.1],[2001:db8::1]", nil, "2001:db8::1", true),
            Case("2001:DB8::/32", nil, "2001:db8:ffff::1", true),
            Case("127.0.0.0/8,::ffff:127.0.0.0/104,::1", nil, "127.9.9.9", true),
            Case("::ffff:10.0.0.0/104", nil, "10.9.9.9", true),
            Case("::ffff:10.0.0.0/104", nil, "11.9.9.9", false),
            Case("unknown", "unknown", "192.0.2.1", true),
        ]
    }

    @Test(arguments: Case.lists)
    func `a client is in a list by its most specific entry`(_ client: Case) throws {
        let reader = reader("InternalHosts \(client.entries)")
        let set = try #require(reader.peerSet("InternalHosts"))
        let address = try client.address.map { try #require(IPAddress($0)) }
        #expect(set.contains(hostName: client.host, address: address) == client.isMember)
        #expect(!reader.problems.hasErrors)
    }

    @Test(arguments: [
        ("mail.yourdomain.com", "198.51.100.1", true), ("yourdomain.com", "198.51.100.1", false),
        ("other.example", "192.168.0.200", true), ("localhost", "198.51.100.1", true),
        ("x.example", "172.16.3.4", true), ("out.yourdomain.com", "198.51.100.1", false),
    ])
    func `patterns work in refile`(_ host: String, _ address: String, _ member: Bool) throws {
        let folder = try Folder([
            "t": "127.0.0.1\nlocalhost\n192.168.0.1/24\n!out.*\n*.yourdomain.com\n172.16.*\n"
        ])
        let reader = reader("InternalHosts refile:\(folder.file("t"))")
        let set = try #require(reader.peerSet("InternalHosts"))
        #expect(set.contains(hostName: host, address: IPAddress(address)) == member)
        #expect(
            reader.problems.map(\.description) == [
                "\(folder.file("t")):3:1: warning: InternalHosts: \"192.168.0.1/24\" has bits set "
                    + "beyond its prefix; it is taken for the network; write 192.168.0.0/24"
            ])
    }

    @Test(arguments: [
        ("10.*", "10.0.0.0/8"), ("10.*.*.*", "10.0.0.0/8"), ("172.16.*", "172.16.0.0/16"),
        ("192.168.7.*", "192.168.7.0/24"), ("*.example.org", ".example.org for all names below"),
        ("256.*", ".example.com for all names below"),
        ("10.*.5", ".example.com for all names below"),
    ])
    func `a pattern in a plain list has a warning with what to write`(
        _ entry: String, _ form: String
    ) throws {
        let reader = reader("InternalHosts 127.0.0.1,\(entry)")
        _ = try #require(reader.peerSet("InternalHosts"))
        #expect(reader.problems.map(\.severity) == [.warning])
        #expect(reader.problems.first?.suggestion?.contains("or write \(form)") == true)
    }

    @Test(arguments: [
        "192.168.0.1/33", "192.168.0/24", "192.168.0.256", "10.0.0.0/255.0.255.0", "2001:db8::/129",
        "2001:db8:::1", "*.example.com", "a..b", "host name!", "http://x/",
    ])
    func `a bad entry is an error with a way out`(_ entry: String) throws {
        let folder = try Folder(["t": "127.0.0.1\n\(entry)\n"])
        let reader = reader("InternalHosts file:\(folder.file("t"))")
        let set = try #require(reader.peerSet("InternalHosts"))
        #expect(set.contains(hostName: nil, address: IPAddress("127.0.0.1")))
        let problem = try #require(reader.problems.last)
        #expect(problem.location.line == 2)
        #expect(problem.location.file == folder.file("t"))
        #expect(problem.suggestion != nil)
    }
}
