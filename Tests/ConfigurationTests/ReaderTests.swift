import MailSyntax
import TestKit
import Testing

@testable import Configuration

@Suite struct ReaderTests {
    @Test func `defaults hold where nothing is written`() {
        let reader = reader("")
        #expect(!reader.boolean("Syslog"))
        #expect(reader.boolean("TestOnly"))
        #expect(reader.integer("MinimumKeyBits") == 1024)
        #expect(reader.integer("MaximumHeaders") == nil)
        #expect(reader.duration("DNSTimeout") == .seconds(5))
        #expect(reader.text("Canonicalization") == "relaxed/simple")
        #expect(reader.mask("UMask") == 0o007)
        #expect(reader.socket("Socket") == nil)
        #expect(reader.user("UserID") == nil)
        #expect(!reader.isSet("Syslog"))
        #expect(reader.problems.isEmpty)
    }

    @Test(arguments: ["yes", "YES", "true", "True", "1", "on", "y", "T"])
    func `yes is said in many ways`(_ word: String) {
        #expect(reader("syslog \(word)").boolean("Syslog"))
    }

    @Test(arguments: ["no", "False", "0", "off", "n", "f"])
    func `no is said in many ways`(_ word: String) {
        #expect(!reader("TestOnly = \(word)").boolean("TestOnly"))
    }

    @Test(arguments: [
        ("5", 5), ("10s", 10), ("1m", 60), ("60", 60),
    ])
    func `times have units`(_ text: String, _ seconds: Int) {
        #expect(reader("DNSTimeout \(text)").duration("DNSTimeout") == .seconds(seconds))
    }

    @Test func `every kind has a typed value`() {
        let reader = reader(
            """
            On-BadSignature R
            KeyFile /etc/k
            Socket inet:8891@localhost
            UserID opendkim:mail
            UMask 002
            MinimumKeyBits 2048
            """)
        enum Action: String { case accept, discard, reject }
        #expect(reader.word("On-BadSignature", as: Action.self) == .reject)
        #expect(reader.text("KeyFile") == "/etc/k")
        #expect(reader.socket("Socket") == .inet(port: 8891, host: "localhost"))
        #expect(reader.user("UserID") == UserSpec("opendkim:mail"))
        #expect(reader.mask("UMask") == 0o002)
        #expect(reader.integer("MinimumKeyBits") == 2048)
        #expect(reader.location(of: "UMask")?.line == 5)
        #expect(reader.problems.isEmpty)
    }

    /// A line, and the whole of what must be said about it.
    @Test(arguments: [
        (
            "Sylog yes",
            "f:1:1: error: Sylog: unknown directive; did you mean Syslog?"
        ),
        ("Xyzzy yes", "f:1:1: error: Xyzzy: unknown directive"),
        ("Syslog maybe", "f:1:1: error: Syslog: \"maybe\" is neither yes nor no; write yes or no"),
        (
            "Syslog",
            "f:1:1: error: Syslog: has no value; leave the line out to have the default"
        ),
        ("MinimumKeyBits many", "f:1:1: error: MinimumKeyBits: \"many\" is not a whole number"),
        (
            "MinimumKeyBits 99999999999999999999",
            "f:1:1: error: MinimumKeyBits: \"99999999999999999999\" is not a whole number"
        ),
        ("MinimumKeyBits -1", "f:1:1: error: MinimumKeyBits: -1 is out of range; 0 to 16384"),
        ("MaximumHeaders -1", "f:1:1: error: MaximumHeaders: -1 is out of range; at least 0"),
        ("DNSTimeout 0", "f:1:1: error: DNSTimeout: 0 is out of range; 1 to 60 seconds"),
        (
            "DNSTimeout 9223372036854775807w",
            "f:1:1: error: DNSTimeout: \"9223372036854775807w\" is not a time; "
                + "write seconds, or 10s, 5m, 1h, 7d"
        ),
        (
            "On-BadSignature bounce",
            "f:1:1: error: On-BadSignature: \"bounce\" is not one of its values; "
                + "write accept, discard or reject"
        ),
        (
            "KeyFile keys/a",
            "f:1:1: error: KeyFile: \"keys/a\" is not an absolute path; "
                + "a daemon has no directory of its own: begin with /"
        ),
        ("UMask 8", "f:1:1: error: UMask: \"8\" is not an octal mask; write 007 or 002"),
        ("UserID a:b:c", "f:1:1: error: UserID: \"a:b:c\" is not a user or user:group"),
        (
            "Socket unix:signet/dkim.sock",
            "f:1:1: error: Socket: the socket's path \"signet/dkim.sock\" is relative; "
                + "write it in full here, such as unix:/var/spool/postfix/signet/dkim.sock; "
                + "the relative form belongs in main.cf"
        ),
        (
            "Socket inet:0@localhost",
            "f:1:1: error: Socket: \"0\" is not a port; write inet:PORT@HOST"
        ),
        (
            "autorestart yes",
            "f:1:1: notice: AutoRestart: has no effect here: systemd restarts the daemon"
        ),
        (
            "FinalPolicyScript /x.lua",
            "f:1:1: error: FinalPolicyScript: Lua scripts are not run; use the On- directives"
        ),
        (
            "Syslog yes\n syslog no",
            "f:2:2: notice: Syslog: given twice: this line counts, and not f:1:1"
        ),
    ])
    func `a problem has a place, a reason and a way out`(_ text: String, _ problem: String) {
        #expect(reader(text).problems.map(\.description) == [problem])
    }

    @Test func `all problems are found in one run, and reading goes on`() {
        let reader = reader("Syslg yes\nMinimumKeyBits x\nUMask 9\nSyslog yes\n")
        #expect(reader.problems.map(\.location.line) == [1, 2, 3])
        #expect(reader.problems.hasErrors)
        #expect(reader.integer("MinimumKeyBits") == 1024)
        #expect(reader.boolean("Syslog"))
        reader.report(.error, "syslog", "does not go with the rest")
        #expect(
            reader.problems.last?.description == "f:4:1: error: Syslog: does not go with the rest")
        reader.report(.warning, "KeyFile", "is missing")
        #expect(reader.problems.last?.description == "f: warning: KeyFile: is missing")
    }

    @Test func `the command line holds against the file`() {
        let option = ConfigurationStatement(
            "Socket", "fd:3", at: SourceLocation(file: "option -p"))
        let reader = reader("Socket inet:1\n", overrides: [option])
        #expect(reader.socket("Socket") == .descriptor(3))
        #expect(reader.problems.isEmpty)
    }

    @Test func `directives that accumulate keep their order across names`() {
        let reader = reader("Keep To\nRemove X-*\nkeep From\n")
        #expect(reader.statements(of: ["Remove", "Keep"]).map(\.value) == ["To", "X-*", "From"])
        #expect(reader.problems.isEmpty)
    }

    @Test func `an alias is the directive`() {
        let reader = reader("defaultSeedOnly = 0\n")
        #expect(!reader.boolean("TestOnly"))
    }

    @Test func `reading what is not declared is our own error`() {
        let reader = reader("")
        #expect(reader.text("Nonesuch") == nil)
        #expect(reader.problems.hasErrors)
    }

    @Test func `every default in a schema parses`() {
        let reader = reader("")
        for spec in sampleSchema.directives { _ = reader.text(spec.name) }
        #expect(reader.problems.filter { $0.message.contains("default") }.isEmpty)
    }
}

@Suite struct IncludeTests {
    @Test func `an included file stands where it is named`() throws {
        let folder = try Folder([
            "a.conf": "Syslog yes\nInclude b.conf\nUMask 002\n", "b.conf": "UMask 022\nSyslg x\n",
        ])
        let reader = ConfigurationReader(schema: sampleSchema, file: folder.file("a.conf"))
        #expect(reader.mask("UMask") == 0o002)
        #expect(
            reader.problems.map(\.location.description) == [
                folder.file("b.conf:2:1"), folder.file("a.conf:3:1"),
            ])
    }

    @Test func `a file that includes itself ends`() throws {
        let folder = try Folder(["a.conf": "Include a.conf\nInclude a.conf\n"])
        let reader = ConfigurationReader(schema: sampleSchema, file: folder.file("a.conf"))
        #expect(reader.problems.count == 64)
        #expect(reader.problems.allSatisfy { $0.message.contains("more than 5 levels") })
    }

    @Test func `what cannot be read is named with its reason`() throws {
        let folder = try Folder(["a.conf": "Include gone.conf\nInclude /dev\nInclude /dev/zero\n"])
        let reader = ConfigurationReader(schema: sampleSchema, file: folder.file("a.conf"))
        #expect(
            reader.problems.map(\.message) == [
                "\(folder.file("gone.conf")) cannot be read: No such file or directory",
                "/dev is not a regular file", "/dev/zero is not a regular file",
            ])
        let missing = ConfigurationReader(schema: sampleSchema, file: "/nonexistent/x.conf")
        #expect(missing.problems.hasErrors)
    }

    @Test func `the null device is a file without lines`() {
        let reader = ConfigurationReader(schema: sampleSchema, file: "/dev/null")
        #expect(reader.problems.isEmpty)
        #expect(reader.text("Canonicalization") == "relaxed/simple")
    }

    /// opendkim(8), DATA SETS: what begins with a slash, or with dots and a slash, is a file.
    @Test(arguments: ["./t", "../NAME/t", "file:t", "file:./t"])
    func `a data set may be a relative file`(_ value: String) throws {
        let folder = try TemporaryDirectory("signet-folder")
        try folder.write("name value\n", to: "t")
        let own = String(folder.path.split(separator: "/").last ?? "")
        let path = try folder.write("KeyTable \(value.replacing("NAME", with: own))\n", to: "c")
        let reader = ConfigurationReader(schema: sampleSchema, file: path)
        #expect(reader.dataSet("KeyTable")?.entries.map(\.key) == ["name"])
        #expect(reader.problems.map(\.severity) == [.warning])
    }

    /// A line that a peer passes over is a warning in its dialect, and an error in the others.
    @Test func `a peer's tolerance makes warnings of its errors`() {
        let schema = ConfigurationSchema(
            sampleSchema.directives,
            tolerance: FaultTolerance(
                peer: "peer", directives: ["Syslog", "MinimumKeyBits", "InternalHosts"]))
        let text = """
            Xyzzy yes
            ? what
            Syslog maybe
            MinimumKeyBits 99999
            InternalHosts 127.0.0.1,1.2.3.4/99
            """
        let lenient = reader(text, schema: schema)
        let hosts = lenient.peerSet("InternalHosts")
        #expect(hosts?.contains(hostName: nil, address: IPAddress("127.0.0.1")) == true)
        #expect(lenient.integer("MinimumKeyBits") == 16384)
        #expect(!lenient.boolean("Syslog"))
        #expect(lenient.problems.map(\.severity) == Array(repeating: .warning, count: 5))
        let strict = reader(text)
        _ = strict.peerSet("InternalHosts")
        #expect(strict.problems.map(\.severity) == Array(repeating: .error, count: 5))
        for text in ["MinimumKeyBits many", "UMask 8", "InternalHosts !1.2.3.4/99", "Socket x"] {
            let dangerous = reader(text, schema: schema)
            _ = dangerous.peerSet("InternalHosts")
            #expect(dangerous.problems.hasErrors, "\(text)")
        }
    }

    /// A daemon has no working directory of its own: paths begin in the configuration's folder, or in BaseDirectory.
    @Test func `a relative path is taken from the configuration's folder`() throws {
        let directory = try Folder([
            "hosts": "127.0.0.1\n", "own.conf": "KeyFile keys/../a\nHosts file:./hosts\n",
            "other.conf": "KeyFile a\nBaseDirectory /base\n",
        ])
        let schema = ConfigurationSchema([
            DirectiveSpec("KeyFile", .path, "A path."), DirectiveSpec("Hosts", .dataSet, "Hosts."),
            DirectiveSpec("BaseDirectory", .path, "A folder."),
        ])
        let file = directory.file("own.conf")
        let reader = ConfigurationReader(schema: schema, file: file)
        #expect(reader.text("KeyFile") == "\(directory.path)/keys/../a")
        #expect(reader.dataSet("Hosts")?.entries.map(\.key) == ["127.0.0.1"])
        #expect(
            reader.problems.map(\.description) == [
                "\(file):1:1: warning: KeyFile: the relative path \"keys/../a\" is taken for "
                    + "\(directory.path)/keys/../a; write it in full",
                "\(file):2:1: warning: Hosts: the relative path \"./hosts\" is taken for "
                    + "\(directory.path)/hosts; write it in full",
            ])
        // Wherever the line stands.
        let based = directory.file("other.conf")
        #expect(ConfigurationReader(schema: schema, file: based).text("KeyFile") == "/base/a")
        let overrides = [ConfigurationStatement("KeyFile", "a", at: SourceLocation(file: "-k"))]
        let other = ConfigurationReader(schema: schema, file: file, overrides: overrides)
        #expect(other.problems.hasErrors)
    }

    /// RFC 7208, section 5.6, has "//" before the length for IPv6; policyd-spf 1.x's own file has it for all.
    @Test func `a doubled slash in a network is a warning`() {
        let schema = ConfigurationSchema([DirectiveSpec("Hosts", .dataSet, "Hosts.")])
        let text = "Hosts 127.0.0.0/8,::ffff:127.0.0.0//104,::1//128\n"
        let reader = ConfigurationReader(schema: schema, text: text, named: "f")
        let hosts = reader.peerSet("Hosts")
        #expect(reader.problems.map(\.severity) == [.warning, .warning])
        #expect(reader.problems.first?.suggestion == "write ::ffff:127.0.0.0/104")
        for address in ["127.0.0.1", "::1"] {
            #expect(hosts?.contains(hostName: nil, address: IPAddress(address)) == true)
        }
        #expect(hosts?.contains(hostName: nil, address: IPAddress("::2")) == false)
        let bad = "Hosts a//b,10.0.0.0///8\n"
        let wrong = ConfigurationReader(schema: schema, text: bad, named: "f")
        _ = wrong.peerSet("Hosts")
        #expect(wrong.problems.filter { $0.severity == .error }.count == 2)
    }

    /// The peers start with such lists; what takes somebody out again must not be lost.
    @Test func `a pattern in a plain list is a warning with the fix`() {
        let schema = ConfigurationSchema([
            DirectiveSpec("Hosts", .dataSet, "Hosts."), DirectiveSpec("Users", .dataSet, "Users."),
        ])
        let text =
            "Hosts *.example.org,192.0.2.1,!*.example.net\n"
            + "Users *@example.org,*,joe@*,a*@example.org,example.org\n"
        let reader = ConfigurationReader(schema: schema, text: text, named: "f")
        let hosts = reader.peerSet("Hosts")
        #expect(hosts?.contains(hostName: "a.example.org", address: nil) == false)
        #expect(hosts?.contains(hostName: nil, address: IPAddress("192.0.2.1")) == true)
        if let users = reader.dataSet("Users") {
            reader.warnOfPatterns(in: users, directive: "Users")
        }
        #expect(reader.problems.map(\.severity) == [.warning, .error, .warning, .warning])
        #expect(reader.problems.allSatisfy { $0.suggestion?.contains("refile:") == true })
    }
}
