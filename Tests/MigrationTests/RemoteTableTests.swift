import Foundation
import TestKit
import Testing

@testable import Migration

/// Tables that OpenDKIM has in databases and directories.
@Suite struct RemoteTableTests {
    private static let keyColumns = "keycol=id?datacol=domain,selector,private_key"

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `tables of PostgreSQL become files, with the keys that are in them`() throws {
        let server = try #require(PostgreSQLServer.shared)
        let address = try #require(URL(string: try server.makeDatabase()))
        let base = String(address.path.dropFirst())
        let socket = String(
            (address.query ?? "").split(separator: "&").first { $0.hasPrefix("host=") }?
                .dropFirst(5) ?? "")
        let tree = try PeerTree([:])
        try tree.writeKey("key.pem")
        let key = tree.text("key.pem")
        _ = try server.query(
            base,
            """
            CREATE TABLE keys (id text, domain text, selector text, private_key text);
            INSERT INTO keys VALUES ('one', 'example.org', 'mail', $$\(key)$$),
                ('two', 'example.net', 'mail', '/etc/keys/net.private');
            CREATE TABLE signing (author text, key text);
            INSERT INTO signing VALUES ('example.org', 'one'), ('.example.net', 'two'),
                (E'bad\\nrow', 'one');
            """)
        // A folder for a host, as libpq has it; the manual's form has no slash in its host.
        let login = "dsn:pgsql://postgres:secret-word@localhost/\(base)"
        try tree.write(
            "etc/opendkim.conf",
            """
            Mode s
            KeyTable \(login)/table=keys?\(Self.keyColumns)
            SigningTable \(login)/table=signing?keycol=author?datacol=key?filter=author <> ''

            """)
        let environment = ["PGHOSTADDR": "", "PGHOST": socket]
        // psql takes the host from its arguments: a stand-in hands on all but that.
        let bin = try TemporaryDirectory("signet-psql")
        try bin.write(
            """
            #!/bin/bash
            printf '%s\\n' "$@" >>"$0.arguments"
            printf '%s\\n' "$PGPASSWORD $PGOPTIONS" >>"$0.environment"
            exec /usr/bin/psql --host '\(socket)' "${@/#--host=*/--quiet}"
            """, to: "psql", mode: 0o755)
        let result = try Self.migrate(tree, bin, environment)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let keys = tree.text("etc/signet/KeyTable.table").split(separator: "\n").dropFirst()
        #expect(
            Array(keys) == [
                "one example.org:mail:/etc/signet/keys/example.org/mail.private",
                "two example.net:mail:/etc/keys/net.private",
            ])
        #expect(
            tree.text("etc/signet/keys/example.org/mail.private")
                .hasPrefix(key.trimmingCharacters(in: .newlines)))
        let signing = tree.text("etc/signet/SigningTable.table").split(separator: "\n").dropFirst()
        #expect(Array(signing) == [".example.net two", "example.org one"])
        #expect(
            tree.text("etc/signet/dkim.conf").contains(
                "SigningTable        file:/etc/signet/SigningTable.table\n"))
        #expect(result.output.contains("a row has no key") || result.output.contains("left out"))
        // The password goes nowhere but into the environment.
        #expect(!(result.output + result.errors).contains("secret-word"))
        #expect(!bin.text("psql.arguments").contains("secret-word"))
        #expect(
            bin.text("psql.environment").contains(
                "secret-word -c default_transaction_read_only=on"))
        // The timer's command writes what has changed, and nothing else.
        try tree.write("etc/signet/dkim.conf", "Mode s\n")
        _ = try server.query(base, "INSERT INTO signing VALUES ('example.com', 'one')")
        let again = try Self.migrate(tree, bin, environment, ["--tables"])
        #expect(again.output == "/etc/signet/SigningTable.table\n", "\(again.errors)")
        #expect(tree.text("etc/signet/SigningTable.table").contains("\nexample.com one\n"))
        #expect(tree.text("etc/signet/dkim.conf") == "Mode s\n")
        #expect(try Self.migrate(tree, bin, environment, ["--tables"]).output.isEmpty)
    }

    /// Runs the command with programs of ours before those of the host.
    private static func migrate(
        _ tree: PeerTree, _ bin: TemporaryDirectory, _ environment: [String: String] = [:],
        _ more: [String] = []
    ) throws -> Command.Result {
        var settings = ["PATH=\(bin.path):/usr/bin:/bin"]
        settings += environment.filter { !$0.value.isEmpty }.map { "\($0.key)=\($0.value)" }
        return try Command.run(
            "/usr/bin/env",
            settings + [DaemonProcess.path(of: "signet"), "migrate", "--root", tree.path] + more)
    }

    @Test func `MySQL and LDAP are asked by their programs, and no password is an argument`() throws
    {
        let tree = try PeerTree([
            "etc/opendkim.conf": """
            Mode s
            KeyTable dsn:mysql://dkim:pass@word@3306+db.example/dkim/table=keys?\(Self.keyColumns)
            SigningTable ldap://ldap.example/ou=mail,dc=example?dkimKey?sub?(&(mail=$d)(active=TRUE))
            LDAPBindUser cn=reader
            LDAPBindPassword hush-hush

            """
        ])
        let bin = try TemporaryDirectory("signet-clients")
        let record = "printf '%s\\n' \"$@\" >\"$0.arguments\"\n"
        try bin.write(
            "#!/bin/sh\n\(record)echo \"$MYSQL_PWD\" >\"$0.environment\"\n"
                + "printf 'one\\texample.org\\tmail\\t-----BEGIN KEY-----\\\\nabc\\\\n-----END KEY-----\\n'\n",
            to: "mysql", mode: 0o755)
        try bin.write(
            "#!/bin/sh\n\(record)cat \"$2\" >\"$0.password\"\necho \"$2\" >\"$0.place\"\n"
                + "printf 'dn: uid=a\\nmail: a@example.org\\nmail: b@example.org\\ndkimKey: one\\n\\n"
                + "dn: uid=c\\nmail:: Y0BleGFtcGxlLm9yZw==\\ndkimKey: one\\n\\n'\n",
            to: "ldapsearch", mode: 0o755)
        let result = try Self.migrate(tree, bin)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(
            tree.text("etc/signet/SigningTable.table").hasSuffix(
                ".\na@example.org one\nb@example.org one\nc@example.org one\n"))
        #expect(
            tree.text("etc/signet/keys/example.org/mail.private")
                == "-----BEGIN KEY-----\nabc\n-----END KEY-----\n")
        #expect(
            bin.text("mysql.arguments").split(separator: "\n").map(String.init) == [
                "--no-defaults", "--batch", "--skip-column-names", "--host=db.example",
                "--port=3306", "--user=dkim", "--database=dkim",
                "--execute=SELECT IFNULL(id, ''), IFNULL(domain, ''), IFNULL(selector, ''), "
                    + "IFNULL(private_key, '') FROM keys",
            ])
        #expect(bin.text("mysql.environment") == "pass@word\n")
        let arguments = bin.text("ldapsearch.arguments")
        #expect(arguments.contains("\n(&(mail=*)(active=TRUE))\nmail\ndkimKey\n"))
        #expect(!arguments.contains("hush-hush"))
        #expect(bin.text("ldapsearch.password") == "hush-hush")
        #expect(bin.text("ldapsearch.place") == "/dev/stdin\n")
        #expect(!tree.text("etc/signet/dkim.conf").contains("hush-hush"))
    }

    @Test(arguments: [
        ("(mail=$d)", ["mail"]),
        ("mail=$D", ["mail"]),
        (
            "(&(objectClass=person)(|(mail=$d)(mailAlternateAddress=$d)(MAIL=$d)))",
            [
                "mail", "mailAlternateAddress",
            ]
        ),
        ("(&(mail=$d)(!(disabled=TRUE)))", ["mail"]),
    ])
    func `each attribute that a filter compares is a key`(
        _ filter: String, _ keys: [String]
    ) throws {
        #expect(try LDAPFilter.keys(of: filter) == keys)
    }

    @Test(arguments: [
        "", "(objectClass=*)", "(&(mail=$d)(domain=$d))", "(|(mail=$d)(objectClass=*))",
        "(!(mail=$d))", "(mail=*@$d)", "(mail=$d", "(mail=$d))", "(mail=$d)x", "()", "(&)",
        "(mail>=$d)", "(m ail=$d)", "(($d=$d))",
        String(repeating: "(&", count: 50) + "(mail=$d)" + String(repeating: ")", count: 50),
        String(repeating: "(", count: 100_000),
    ])
    func `a table that cannot be read as a whole is none`(_ filter: String) {
        #expect(throws: RemoteTable.Fault.self) { try LDAPFilter.keys(of: filter) }
    }

    @Test func `an entry that several attributes find is a row for each value`() throws {
        let table = try #require(
            try RemoteTable("ldap://h/dc=example?key?sub?(|(mail=$d)(alias=$d))"))
        #expect(table.arguments.suffix(4) == ["(|(mail=*)(alias=*))", "mail", "alias", "key"])
        #expect(
            try table.rows(
                of: "dn: x\nalias: b\nmail: a\nalias: a\nkey: one\n\nalias: c\nkey: two\n")
                == [["a", "one"], ["b", "one"], ["c", "two"]])
    }

    @Test func `what a timer reads again is part of the run that --undo puts back`() throws {
        let tree = try PeerTree([
            "etc/opendkim.conf": "Mode s\nKeyTable \(Self.keyDSN)\nSigningTable csl:*=one\n"
        ])
        let before = try tree.snapshot()
        let bin = try TemporaryDirectory("signet-mysql")
        func answer(_ domain: String) throws {
            try bin.write(
                "#!/bin/sh\nprintf 'one\\t\(domain)\\tmail\\t"
                    + "-----BEGIN KEY-----\\\\nabc\\\\n-----END KEY-----\\n'\n", to: "mysql",
                mode: 0o755)
        }
        try answer("example.org")
        let first = try Self.migrate(tree, bin)
        #expect(first.succeeded, "\(first.output)\(first.errors)")
        let made = try tree.snapshot()
        // A key comes with a folder of its own.
        try answer("example.net")
        let again = try Self.migrate(tree, bin, [:], ["--tables"])
        #expect(
            again.output == "/etc/signet/keys/example.net/mail.private\n"
                + "/etc/signet/KeyTable.table\n", "\(again.output)\(again.errors)")
        #expect(try tree.snapshot() != made)
        let undone = try tree.migrate(["--undo"])
        #expect(undone.succeeded, "\(undone.output)\(undone.errors)")
        #expect(try tree.snapshot() == before)
    }

    private static let keyDSN = "dsn:mysql://dkim@db.example/dkim/table=keys?\(keyColumns)"

    /// Values with carriage returns, as data from Windows have them, hide no row; NUL is no digit.
    @Test func `each line is a row, whatever it ends with`() throws {
        let mysql = try #require(try RemoteTable("dsn:mysql://h/base/table=t?keycol=k?datacol=v"))
        #expect(
            try mysql.rows(of: "a\tone\r\nb\ttwo\\0\\n\n")
                == [["a", "one\r"], ["b", "two\0\n"]])
        let psql = try #require(try RemoteTable("dsn:pgsql://h/base/table=t?keycol=k?datacol=v"))
        #expect(
            try psql.rows(of: "a\u{1F}one\r\u{1E}b\u{1F}two\r\n")
                == [["a", "one\r"], ["b", "two\r"]])
        let ldap = try #require(try RemoteTable("ldap://h/dc=example?key?sub?(mail=$d)"))
        #expect(
            try ldap.rows(of: "dn: x\r\nmail: a\r\nkey: one\r\n\r\nmail: b\nkey: two\n")
                == [["a", "one"], ["b", "two"]])
        #expect(throws: RemoteTable.Fault.self) {
            try mysql.rows(of: String(repeating: "a\n", count: 300_000))
        }
    }

    @Test(arguments: [
        ("dsn:odbc://u:secret-word@h/base/table=t?keycol=k", "no database that can be read"),
        ("dsn:mysql://u:secret-word@h/base/table=t?keycol=k;DROP", "plain name"),
        ("dsn:mysql://u:secret-word@h", "names no base"),
        ("ldap://h/$D,dc=example?key?sub?(mail=$d)", "its base is made of"),
        ("ldap://h/dc=example?key?sub?(objectClass=*)", "does not say"),
        ("dsn:mysql://u:secret-word@h/base/table=t?keycol=k", "apt install default-mysql-client"),
        ("lua:/etc/x.lua", "write the table to a file"),
    ])
    func `what cannot be read is said, without the password`(
        _ value: String, _ words: String
    ) throws {
        let tree = try PeerTree(["etc/opendkim.conf": "SigningTable \(value)\n"])
        let before = try tree.snapshot()
        let empty = try TemporaryDirectory("signet-no-clients")
        let result = try Command.run(
            "/usr/bin/env",
            [
                "PATH=\(empty.path)", DaemonProcess.path(of: "signet"), "migrate", "--root",
                tree.path,
            ])
        #expect(result.end == .exited(78))
        #expect(result.output.contains(words), "\(result.output)")
        #expect(!(result.output + result.errors).contains("secret-word"))
        #expect(try tree.snapshot() == before)
    }
}

extension TemporaryDirectory {
    /// A file's text; empty where there is none.
    fileprivate func text(_ name: String) -> String {
        (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? ""
    }
}
