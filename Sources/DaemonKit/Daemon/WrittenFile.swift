internal import Configuration
import Glibc

/// A file that a daemon writes while it runs, checked by `-n` before anything is lost.
public struct WrittenFile: Sendable {
    /// The directive that names it.
    public let directive: String
    /// Its absolute path.
    public let path: String
    /// What the file begins with, if it is not empty; nil for anything.
    public let signature: [UInt8]?
    /// What the file is, in words: `an SQLite database`.
    public let kind: String

    /// Describes a file.
    ///
    /// - Parameters:
    ///   - directive: the directive that names it.
    ///   - path: its absolute path.
    ///   - signature: what it begins with, if it is not empty.
    ///   - kind: what it is, in words.
    public init(directive: String, path: String, signature: [UInt8]? = nil, kind: String) {
        self.directive = directive
        self.path = path
        self.signature = signature
        self.kind = kind
    }

    private var directory: String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether there is a directory for it.
    var directoryExists: Bool { unsafe access(directory, F_OK) == 0 }

    private static let systemDirectories: [(setting: String, path: String)] = [
        ("StateDirectory", "/var/lib"), ("LogsDirectory", "/var/log"),
        ("CacheDirectory", "/var/cache"), ("RuntimeDirectory", "/run"),
    ]

    /// Looks at the file as the user that the process acts as; what is wrong is reported.
    ///
    /// - Parameters:
    ///   - severity: the weight of what is wrong.
    ///   - unit: the unit that the daemon runs in, where it is known.
    ///   - reader: takes the findings.
    func check(
        _ severity: ConfigurationProblem.Severity, unit: SystemdUnit?, _ reader: ConfigurationReader
    ) {
        func report(_ message: String, _ remedy: String) {
            reader.report(severity, directive, "\(path) \(message)", suggestion: remedy)
        }
        let user = Account.effective.name
        let rights = Int32(R_OK | W_OK)
        var status = stat()
        if unsafe stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                return report("is not a file", "name \(kind), or a file that does not exist yet")
            }
            if unsafe faccessat(AT_FDCWD, path, rights, AT_EACCESS) != 0 {
                return report("cannot be written: \(SystemError.last)", "chown \(user) \(path)")
            }
            if let signature, status.st_size > 0,
                FileContents.beginning(of: path, signature.count) != signature
            {
                return report(
                    "is not \(kind)", "move it away, or name a file that does not exist yet")
            }
        } else if errno != ENOENT {
            return report(
                "cannot be reached: \(SystemError.last)", "let \(user) search \(directory)")
        }
        if unsafe faccessat(AT_FDCWD, directory, rights | Int32(X_OK), AT_EACCESS) != 0 {
            let error = SystemError.last
            let remedy = Self.remedy(for: error.code, in: directory, as: user)
            return report("cannot be written: \(directory): \(error)", remedy)
        }
        if let unit, !Self.mayWrite(directory, unit) {
            report(
                "cannot be written by \(unit.name), whose ProtectSystem makes it read-only",
                "add ReadWritePaths=\(directory) with \"systemctl edit \(unit.name)\"")
        }
    }

    /// What helps where a directory cannot be written.
    ///
    /// One that is there may be the system's or another program's, and keeps its owner.
    static func remedy(for code: Int32, in directory: String, as user: String) -> String {
        code == ENOENT
            ? "install -d -o \(user) -m 0750 \(directory)"
            : "name a file in a directory that belongs to \(user)"
    }

    /// Whether the settings of a unit let it write in a directory (systemd.exec(5)).
    static func mayWrite(_ directory: String, _ unit: SystemdUnit) -> Bool {
        guard unit.values(of: "ProtectSystem").last == "strict" else { return true }
        func words(_ setting: String) -> [String] {
            unit.values(of: setting).flatMap { $0.split(separator: " ").map(String.init) }
        }
        var places = words("ReadWritePaths").map { path in
            String(path.drop { $0 == "-" || $0 == "+" })
        }
        for (setting, parent) in systemDirectories {
            places += words(setting).map { "\(parent)/\($0)" }
        }
        return places.contains { directory == $0 || directory.hasPrefix("\($0)/") }
    }
}
