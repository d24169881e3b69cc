import Doctor
import Foundation
import MailCrypto
import MailDNS
import MailSyntax
import TestKit
import Threads

/// A host with its zone: healthy to begin with, then broken, then mended.
final class Patient {
    /// The keys of all patients: made once.
    static let keys = Keys()

    /// The keys that tables name.
    struct Keys {
        let rsa = Keys.make { try PrivateKey.generateRSA(bits: 2048) }
        let other = Keys.make { try PrivateKey.generateRSA(bits: 2048) }
        let small = Keys.make { try PrivateKey.generateRSA(bits: 1024) }
        let ed25519 = Keys.make { try PrivateKey.generateEd25519() }

        private static func make(_ make: () throws -> PrivateKey) -> PrivateKey {
            do { return try make() } catch { fatalError("no key can be made: \(error)") }
        }
    }

    private let directory: TemporaryDirectory
    private var zone: [ZoneRecord]
    private var words: [(String, String)] = []
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// The text of a file beside these tests.
    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    /// A healthy host.
    init() throws {
        directory = try TemporaryDirectory("doctor")
        zone = try ZoneText.records(Self.filled(try Self.text("Healthy/zone.txt")))
        try plantTree()
    }

    /// The directory that stands for `/`.
    var root: String { directory.path }

    /// Everything that is wrong.
    func faults(_ scope: Doctor.Scope = [.dns, .local]) throws -> [Diagnosis] {
        Doctor.examine(try view(), scope).filter(\.isFault)
    }

    /// The host as the doctor sees it.
    func view() throws -> HostView {
        let tree = HostFiles(root: directory.path)
        var host = HostView(tree)
        host.domains = [try DomainName("example.org")]
        host.addresses = [IPAddress("192.0.2.10"), IPAddress("2001:db8::10")].compactMap(\.self)
        host.running = try RunningPatient(words).host
        for (word, value) in words where !RunningPatient.words.contains(word) {
            switch word {
            case "address": host.addresses = [IPAddress(value)].compactMap(\.self)
            case "dnssec": host.rootAnswer = { .records([], value == "yes" ? .secure : .insecure) }
            case "also": host.asksBlockLists = true
            default: throw TestKitError("nothing is known of \(word)")
            }
        }
        let resolver = ZoneResolver(records: zone)
        host.dns = DNSLookup(resolver, time: .system)
        host.authoritative = { _ in resolver }
        return host
    }

    // MARK: The tree

    private func plantTree() throws {
        let source = Self.folder.appendingPathComponent("Healthy/tree")
        let manager = FileManager.default
        for name in try manager.subpathsOfDirectory(atPath: source.path).sorted() {
            let from = source.appendingPathComponent(name)
            let values = try from.resourceValues(forKeys: [.isDirectoryKey])
            if values.isDirectory == true {
                try directory.makeDirectory(name)
            } else {
                try directory.write(try String(contentsOf: from, encoding: .utf8), to: name)
            }
        }
        // The packages' own units, and the users that they make.
        let units = "lib/systemd/system"
        try directory.makeDirectory(units)
        let shipped = Self.folder.appendingPathComponent("../../systemd").standardized
        for name in try manager.contentsOfDirectory(atPath: shipped.path)
        where name.hasSuffix(".socket") || name.hasSuffix(".path") {
            let text = try String(
                contentsOf: shipped.appendingPathComponent(name), encoding: .utf8)
            try directory.write(text, to: "\(units)/\(name)")
        }
        try enable("signet-reports-import.path")
        let signer = getuid() == 0 ? 64_201 : getuid()
        try directory.write(
            "root:x:0:0::/root:/bin/sh\npostfix:x:64200:64200::/:/bin/false\n"
                + "signet-dkim:x:\(signer):64201::/:/bin/false\n", to: "etc/passwd")
        try directory.write(
            "root:x:0:\npostfix:x:64200:\nsignet-dkim:x:64201:\n", to: "etc/group")
        let folder = "etc/signet/keys/example.org"
        try directory.makeDirectory(folder)
        for (name, key) in [
            ("mail", Self.keys.rsa), ("mail-ed25519", Self.keys.ed25519),
            ("small", Self.keys.small),
        ] {
            let text = key.withPEM { pem in pem.indices.map { pem[$0] } }
            let path = try directory.write(text, to: "\(folder)/\(name).private", mode: 0o600)
            guard unsafe chown(path, signer, getgid()) == 0 else { throw TestKitError(path) }
        }
    }

    /// Has the host start a unit, as systemctl(1) does.
    private func enable(_ unit: String) throws {
        let wants = place("/etc/systemd/system/multi-user.target.wants")
        try FileManager.default.createDirectory(atPath: wants, withIntermediateDirectories: true)
        let link = "\(wants)/\(unit)"
        // A link that leads nowhere is there, too.
        try? FileManager.default.removeItem(atPath: link)
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: "/lib/systemd/system/\(unit)")
    }

    private func place(_ path: String) -> String { directory.path + path }

    private func edit(_ path: String, _ change: (String) throws -> String) throws {
        let old = (try? String(contentsOfFile: place(path), encoding: .utf8)) ?? ""
        let folder = URL(fileURLWithPath: place(path)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try change(old).write(toFile: place(path), atomically: false, encoding: .utf8)
    }

    // MARK: Breaking and mending

    /// Breaks something.
    func apply(_ change: Fault.Change) throws {
        switch change {
        case .addRecord(let line):
            let record = try ZoneText.record(Self.filled(line))
            zone.append(record)
        case .replaceRecords(let line):
            let record = try ZoneText.record(Self.filled(line))
            zone.removeAll { $0.owner == record.owner && $0.type == record.type }
            zone.append(record)
        case .removeRecords(let name, let type):
            let owner = try ZoneText.name(name)
            let count = zone.count
            zone.removeAll { $0.owner == owner && $0.type.mnemonic == type }
            guard zone.count < count else { throw TestKitError("there is no \(name) \(type)") }
        case .addLine(let line, let file):
            try edit(file) { $0 + line.replacing("\\n", with: "\n") + "\n" }
        case .removeLine(let line, let file):
            try edit(file) { text in
                guard text.contains(line + "\n") else { throw TestKitError("no line \(line)") }
                return text.replacing(line + "\n", with: "")
            }
        case .replace(let old, let new, let file):
            try edit(file) { text in
                let old = old.replacing("\\n", with: "\n")
                guard old == "-" || text.contains(old) else {
                    throw TestKitError("\(file) has no \(old)")
                }
                // "-" stands for the whole file.
                let new = new.replacing("\\n", with: "\n")
                return old == "-" ? new : text.replacing(old, with: new)
            }
        case .remove(let path): try FileManager.default.removeItem(atPath: place(path))
        case .mode(let path, let mode):
            try FileManager.default.setAttributes(
                [.posixPermissions: Int(mode)], ofItemAtPath: place(path))
        case .host(let word, let value): words.append((word, value))
        }
    }

    /// Carries a mend out; false where that is for a person to do.
    func apply(_ mend: Mend) throws -> Bool {
        switch mend {
        case .publish(let record, let others):
            zone.removeAll { others.contains($0) }
            zone.append(record)
        case .withdraw(let records): zone.removeAll { records.contains($0) }
        case .parameter(let name, let value):
            try edit("/etc/postfix/main.cf") { text in
                let kept = Self.withoutParameter(name, text)
                return kept + (value.map { "\(name) = \($0)\n" } ?? "")
            }
        case .line(let new, let file, let old):
            try edit(file) { text in
                guard let old else { return text + (new ?? "") + "\n" }
                guard text.contains(old + "\n") else { throw TestKitError("no line \(old)") }
                return text.replacing(old + "\n", with: new.map { $0 + "\n" } ?? "")
            }
        case .mode(let path, let octal):
            try apply(.mode(path, UInt32(octal, radix: 8) ?? 0))
        case .command(let command) where command.hasPrefix("signet setup "):
            let words = command.split(separator: " ").dropFirst().map(String.init)
            try Command.require(
                DaemonProcess.path(of: "signet"), words + ["--yes", "--root", directory.path])
        case .command(let command) where command.hasPrefix("systemctl "):
            return try control(command)
        case .owner, .command, .words: return false
        }
        return true
    }

    /// What systemd does: the unit that a command names runs again, and the import takes the mail that waits.
    private func control(_ command: String) throws -> Bool {
        let words = command.prefix { !";|".contains($0) }.split(separator: " ").map(String.init)
        guard let unit = words.last, ["enable", "restart", "start"].contains(words[1]) else {
            return false
        }
        self.words.removeAll { $0.0 == "unit" && $0.1.hasPrefix("\(unit) ") }
        if words[1] == "enable", unit.hasSuffix(".path") { try enable(unit) }
        let mail = place("/var/lib/signet-reports/Maildir/new")
        if unit.hasPrefix("signet-reports-import."), FileManager.default.fileExists(atPath: mail) {
            try FileManager.default.removeItem(atPath: mail)
        }
        return true
    }

    /// main.cf without the settings of a parameter and the lines that continue them.
    private static func withoutParameter(_ name: String, _ text: String) -> String {
        var isDropped = false
        let kept = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            if line.hasPrefix(" ") || line.hasPrefix("\t") { return !isDropped }
            let key = line.prefix { $0 != "=" }.trimmingCharacters(in: .whitespaces)
            isDropped = key == name
            return !isDropped
        }
        return kept.joined(separator: "\n")
    }

    // MARK: Placeholders

    /// A text with keys in the place of `$KEY` and the like, and `$KEY:1-200` for part of one.
    static func filled(_ text: String) -> String {
        var result = text
        let named = [
            ("$KEY", keys.rsa), ("$OTHER", keys.other), ("$SMALL", keys.small),
            ("$ED25519", keys.ed25519),
        ]
        for (name, key) in named {
            let full = Base64.encode(key.publicKey.recordOctets)
            while let found = result.range(of: name) {
                var end = found.upperBound
                var part = full
                if result[end...].hasPrefix(":") {
                    let range = result[result.index(after: end)...].prefix {
                        "0123456789-".contains($0)
                    }
                    end = range.endIndex
                    let ends = range.split(separator: "-", omittingEmptySubsequences: false)
                    let from = Int(ends[0]) ?? 1
                    let to = ends.count > 1 ? Int(ends[1]) ?? full.count : full.count
                    part = String(full.dropFirst(from - 1).prefix(to - from + 1))
                }
                result.replaceSubrange(found.lowerBound..<end, with: part)
            }
        }
        return result
    }
}
