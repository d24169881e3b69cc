package import Glibc

/// Reading private keys with the care that `RequireSafeKeys` asks for.
///
/// Everything is asked of the open file, as the user that the daemon runs as: what was checked is what is read.
extension ConfigurationReader {
    /// The longest key file; an RSA-16384 key in PEM form has about 13,000 octets.
    static let keyFileSizeLimit = 65_536

    /// The contents of a private key's file; nil when it cannot be read, is empty, or is unsafe while safety is required.
    ///
    /// A file is safe when only its owner, root, and members of the daemon's own groups may read it, only the owner may write it,
    /// the owner is root or the daemon's user, and nobody else can put another file in its place. Where safety is not required the
    /// same findings are warnings.
    public func keyFile(
        _ path: String, requireSafe: Bool, directive: String, at location: SourceLocation
    ) -> [UInt8]? {
        func report(_ severity: ConfigurationProblem.Severity, _ text: String, _ way: String? = nil)
        {
            self.report(
                ConfigurationProblem(
                    severity, at: location, directive: directive, text, suggestion: way))
        }
        guard path.hasPrefix("/") else {
            report(.error, "the key file's path \"\(path)\" is relative", "write it in full")
            return nil
        }
        let status: stat
        let bytes: [UInt8]
        do {
            let file = try OpenFile(reading: path)
            status = try file.status()
            bytes = try file.contents(limit: Self.keyFileSizeLimit)
        } catch let error as SystemError {
            let way =
                error.code == EACCES
                ? "the user \(Account.effective.name) must be able to read it and its directories"
                : nil
            report(.error, "the key file \(path) cannot be read: \(error)", way)
            return nil
        } catch {
            report(.error, "the key file \(path) \(error)")
            return nil
        }
        guard !bytes.isEmpty else {
            report(.error, "the key file \(path) is empty")
            return nil
        }
        // What is no private key needs no protection: to speak of its mode would mislead.
        if Self.isKeyRecord(bytes) {
            report(
                .error, "the key file \(path) is a key record for the DNS, not a private key",
                "name the private key, such as \(path.replacingSuffix(".txt", with: ".private"))")
            return nil
        }
        // Under another user than the one that was meant nothing can be said of who may read it.
        guard !faulty.contains("UserID") else { return bytes }
        let findings = KeyFileSafety.current.findings(path: path, status: status)
        for finding in findings {
            report(requireSafe ? .error : .warning, finding.message, finding.remedy)
        }
        return findings.isEmpty || !requireSafe ? bytes : nil
    }
}

extension ConfigurationReader {
    /// Whether a file is what `signet key new` and opendkim-genkey write beside the key: its public half as a DNS record.
    private static func isKeyRecord(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return !text.contains("PRIVATE KEY")
            && (text.contains("_domainkey") || text.contains("v=DKIM1")
                || text.contains("PUBLIC KEY"))
    }
}

extension String {
    /// The text with another ending; as it is where it does not end so.
    fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
    }
}

/// Who may read, change or replace a file besides us.
package struct KeyFileSafety {
    let user: uid_t
    package let groups: Set<gid_t>

    struct Finding {
        let message: String
        let remedy: String
    }

    /// The process as it now is, by its effective ids.
    package static var current: KeyFileSafety {
        var groups = [gid_t](repeating: 0, count: 1024)
        let count = unsafe getgroups(Int32(groups.count), &groups)
        let own = Set(groups.prefix(Int(max(count, 0)))).union([getegid()])
        return KeyFileSafety(user: geteuid(), groups: own)
    }

    func findings(path: String, status: stat) -> [Finding] {
        var findings: [Finding] = []
        let mode = status.st_mode
        if status.st_uid != 0, status.st_uid != user {
            findings.append(
                Finding(
                    message: "the key file \(path) belongs to another user (\(status.st_uid))",
                    remedy: "chown \(Account.effective.name) \(path)"))
        }
        if mode & 0o007 != 0 || mode & 0o030 != 0
            || (mode & 0o040 != 0 && !groups.contains(status.st_gid))
        {
            let octal = String(mode & 0o777, radix: 8)
            findings.append(
                Finding(
                    message: "the key file \(path) is open to others (mode 0\(octal))",
                    remedy: "chmod 0600 \(path)"))
        }
        return findings + directoryFindings(path: path)
    }

    /// Looks at every directory above the file itself, symbolic links resolved.
    private func directoryFindings(path: String) -> [Finding] {
        guard let resolved = resolve(path) else { return [] }
        var directory = resolved[...]
        while let slash = directory.lastIndex(of: "/") {
            directory = directory[..<slash]
            let name = directory.isEmpty ? "/" : String(directory)
            var status = stat()
            guard unsafe lstat(name, &status) == 0 else { continue }
            let mode = status.st_mode
            // In a sticky directory others cannot rename or remove what is not theirs.
            let others =
                mode & 0o002 != 0
                || (mode & 0o020 != 0 && status.st_gid != 0 && !groups.contains(status.st_gid))
            let foreign = status.st_uid != 0 && status.st_uid != user
            if foreign || (others && mode & S_ISVTX == 0) {
                return [
                    Finding(
                        message: "others can put another file in the place of \(path): "
                            + "they may write in \(name)",
                        remedy: "chmod go-w \(name), and let it belong to root or the daemon")
                ]
            }
        }
        return []
    }

    private func resolve(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
