/// A table that OpenDKIM asks a database or a directory for (opendkim(8), data sets "dsn:" and "ldap:"), as a command that reads it
/// once.
///
/// Trust: the text is the administrator's; names of tables and columns become part of a query only in a plain form.
package struct RemoteTable: Hashable, Sendable {
    /// The program that reads it.
    package enum Client: String, Sendable {
        case psql, mysql, ldapsearch

        /// The package that has it.
        package var package: String {
            switch self {
            case .psql: "postgresql-client"
            case .mysql: "default-mysql-client"
            case .ldapsearch: "ldap-utils"
            }
        }
    }

    /// Why a text is no table that can be read.
    package struct Fault: Error, Hashable, CustomStringConvertible {
        /// What is wrong.
        package let description: String

        /// Says what is wrong.
        package init(_ description: String) { self.description = description }
    }

    /// The program.
    package let client: Client
    /// Its arguments: nothing secret is among them, since everybody on the host can read them.
    package let arguments: [String]
    /// The password; nil where none is given.
    package let password: String?
    /// The attributes of a directory's entries, those of the key first; none for a database.
    package let attributes: [String]
    /// How many of them are keys: an entry is found by each of these.
    package let keyCount: Int

    /// Between the columns, and between the rows, of what psql prints: they are in no value.
    private static let (unit, record) = ("\u{1F}", "\u{1E}")

    /// Reads a value such as `dsn:mysql://user:password@3306+host/base/table=t?keycol=k?datacol=a,b`; nil where it is of another
    /// kind.
    ///
    /// - Parameters:
    ///   - value: the value of the directive.
    ///   - directory: the directives about LDAP, by their names in small letters.
    /// - Throws: where it is of this kind and cannot be read.
    package init?(_ value: String, directory: [String: String] = [:]) throws(Fault) {
        if value.hasPrefix("dsn:") {
            try self.init(dsn: value.dropFirst(4))
        } else if ["ldap:", "ldaps:", "ldapi:"].contains(where: { value.hasPrefix($0) }) {
            try self.init(ldap: value, directory)
        } else {
            return nil
        }
    }

    // MARK: Databases

    private init(dsn text: Substring) throws(Fault) {
        // The manual writes "mysql:://" as well.
        guard let start = text.firstRange(of: "://") else {
            throw Fault("it is not BACKEND://HOST/BASE/table=…")
        }
        let backend = text[..<start.lowerBound].prefix { $0 != ":" }
        var parts = text[start.upperBound...].split(
            separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw Fault("it names no base, or no table") }
        let settings = parts.removeLast()
        let (login, host) = Self.split(parts[0])
        let (user, password) = Self.pair(login ?? "", ":")
        let (port, name) = host.contains("+") ? Self.pair(host, "+") : ("", String(host))
        var options: [String: String] = [:]
        for item in settings.split(separator: "?") {
            let (key, value) = Self.pair(item, "=")
            options[key.lowercased()] = value
        }
        let query = try Self.query(options, isMySQL: backend == "mysql")
        let base = String(parts[1])
        self.password = password.isEmpty ? nil : password
        (attributes, keyCount) = ([], 0)
        func option(_ name: String, _ value: String) -> [String] {
            value.isEmpty ? [] : ["--\(name)=\(value)"]
        }
        let place = option("host", name) + option("port", port)
        switch backend {
        case "pgsql", "postgresql":
            client = .psql
            arguments =
                [
                    "--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align",
                    "--field-separator=\(Self.unit)", "--record-separator=\(Self.record)",
                    "--set=ON_ERROR_STOP=1",
                ] + place + option("username", user)
                + option("dbname", base) + ["--command=\(query)"]
        case "mysql":
            client = .mysql
            arguments =
                ["--no-defaults", "--batch", "--skip-column-names"] + place + option("user", user)
                + option("database", base) + ["--execute=\(query)"]
        default:
            throw Fault("\(backend) is no database that can be read")
        }
    }

    /// `login@host`; a password may have an @ of its own.
    private static func split(_ text: Substring) -> (login: Substring?, host: Substring) {
        guard let at = text.lastIndex(of: "@") else { return (nil, text) }
        return (text[..<at], text[text.index(after: at)...])
    }

    private static func pair(_ text: Substring, _ separator: Character) -> (String, String) {
        guard let place = text.firstIndex(of: separator) else { return (String(text), "") }
        return (String(text[..<place]), String(text[text.index(after: place)...]))
    }

    private static func query(
        _ options: [String: String], isMySQL: Bool
    ) throws(Fault) -> String {
        guard let table = options["table"], let key = options["keycol"] else {
            throw Fault("it names no table= or keycol=")
        }
        let columns = [key] + (options["datacol"] ?? "").split(separator: ",").map(String.init)
        for name in [table] + columns where !isName(name) {
            throw Fault("\"\(name)\" is not the plain name of a table or column")
        }
        let filter = options["filter"].map { " WHERE \($0)" } ?? ""
        // mysql(1) writes NULL as that word, which nobody can tell from a value.
        let wanted = isMySQL ? columns.map { "IFNULL(\($0), '')" } : columns
        return "SELECT \(wanted.joined(separator: ", ")) FROM \(table)\(filter)"
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { octet in
                (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet)
                    || (0x61...0x7A).contains(octet) || octet == 0x5F || octet == 0x2E
            }
    }

    // MARK: Directories

    /// An LDAP URL (RFC 4516): `ldap://host/base?attributes?scope?filter`, further URLs behind it.
    private init(ldap text: String, _ directory: [String: String]) throws(Fault) {
        let urls = text.split(separator: " ").map(String.init)
        guard let first = urls.first, let start = first.firstRange(of: "://") else {
            throw Fault("it is no LDAP URL")
        }
        let rest = first[start.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let server = String(first[..<slash])
        let parts = rest[slash...].dropFirst().split(
            separator: "?", omittingEmptySubsequences: false
        ).map { Self.unescaped($0) }
        let base = parts.first ?? ""
        let wanted =
            parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : []
        let scope = parts.count > 2 && !parts[2].isEmpty ? parts[2] : "base"
        let filter = parts.count > 3 ? parts[3] : ""
        guard !base.lowercased().contains("$d") else {
            throw Fault(
                "its base is made of what is looked up, so that it cannot be read as a whole")
        }
        let mechanism = directory["ldapauthmechanism"]?.lowercased() ?? "simple"
        guard ["simple", "none"].contains(mechanism) else {
            throw Fault("LDAPAuthMechanism \(mechanism) is not spoken")
        }
        let keys = try LDAPFilter.keys(of: filter)
        guard wanted.allSatisfy(LDAPFilter.isAttribute) else {
            throw Fault("its attributes are not plain names")
        }
        client = .ldapsearch
        attributes = keys + wanted
        keyCount = keys.count
        password = directory["ldapbindpassword"]
        var options = [
            "-LLL", "-o", "ldif-wrap=no", "-H",
            ([server] + urls.dropFirst()).joined(separator: " "),
        ]
        if ["yes", "true", "1"].contains(directory["ldapusetls"]?.lowercased() ?? "") {
            options.append("-ZZ")
        }
        options.append("-x")
        if let user = directory["ldapbinduser"] { options += ["-D", user] }
        arguments =
            options + [
                "-b", base, "-s", scope,
                filter.replacing("$d", with: "*").replacing("$D", with: "*"),
            ] + attributes
    }

    private static func unescaped(_ text: Substring) -> String {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                octets.append(code)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    // MARK: Rows

    /// The most rows of a table.
    private static let mostRows = 200_000

    /// The rows of what the program has printed: the key, then the values.
    ///
    /// - Throws: where there are more than anybody needs.
    package func rows(of output: String) throws(Fault) -> [[String]] {
        // By octets: for Swift a CR that a value ends with and the line end behind it are one character.
        let octets = Array(output.utf8)
        var rows: [[String]]
        switch client {
        case .psql:
            let text = octets.last == 0x0A ? octets.dropLast() : octets[...]
            rows = Self.table(text, row: 0x1E, column: 0x1F)
        case .mysql:
            rows = Self.table(octets[...], row: 0x0A, column: 0x09)
                .map { $0.map(Self.withoutEscapes) }
        case .ldapsearch:
            rows = LDIF.rows(
                output, attributes, keys: keyCount, atMost: Self.mostRows)
        }
        guard rows.count <= Self.mostRows else {
            throw Fault("it has more than \(Self.mostRows) rows")
        }
        return rows.filter { !($0.first ?? "").isEmpty }
    }

    /// Rows and their columns; one more than may be where there are too many.
    private static func table(
        _ octets: ArraySlice<UInt8>, row: UInt8, column: UInt8
    ) -> [[String]] {
        octets.split(separator: row, maxSplits: mostRows).map { line in
            line.split(separator: column, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// mysql(1) writes line feeds, tabs, NUL and backslashes of values with a backslash before them.
    private static func withoutEscapes(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        let escapes: [Character: Character] = ["n": "\n", "t": "\t", "0": "\0"]
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                result.append(escapes[character] ?? character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }
}
