internal import Configuration
import Glibc

/// The files of a systemd unit, drop-ins included (systemd.unit(5)): as much as a daemon needs to know about its own unit.
///
/// Trust: the files are the administrator's.
struct SystemdUnit {
    /// The unit's name with its type, such as `signet-dkim.socket`.
    let name: String
    /// Where units are looked for; the first that has a file counts.
    var directories = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system", "/lib/systemd/system",
    ]

    private static let sizeLimit = 1 << 20

    /// Whether systemd runs this machine (sd_booted(3)).
    static var isBooted: Bool { unsafe access("/run/systemd/system", F_OK) == 0 }

    /// Whether a target starts the unit at boot.
    func isEnabled(for target: String) -> Bool {
        directories.contains { unsafe access("\($0)/\(target).wants/\(name)", F_OK) == 0 }
    }

    /// The values of a setting in their order, of which an empty one discards those before it.
    ///
    /// Empty if there is no such unit.
    func values(of setting: String) -> [String] {
        let paths = directories.map { "\($0)/\(name)" }
        guard let main = paths.first(where: { unsafe access($0, F_OK) == 0 }) else { return [] }
        var values: [String] = []
        for file in [main] + dropIns {
            guard let contents = FileContents.ifReadable(file, limit: Self.sizeLimit) else {
                continue
            }
            for line in contents.split(separator: UInt8(ascii: "\n")) {
                let parts = line.split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, Self.trimmed(parts[0]) == setting else { continue }
                let value = Self.trimmed(parts[1])
                if value.isEmpty { values = [] } else { values.append(value) }
            }
        }
        return values
    }

    /// The drop-ins in the order of their names; of several with one name the first directory's counts.
    private var dropIns: [String] {
        var paths: [String: String] = [:]
        for directory in directories.reversed() {
            let folder = "\(directory)/\(name).d"
            for file in Self.files(in: folder) where file.hasSuffix(".conf") {
                paths[file] = "\(folder)/\(file)"
            }
        }
        return paths.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func files(in directory: String) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        let start = text.drop(while: isSpace)
        let end = start.lastIndex { !isSpace($0) }
        return end.map { String(decoding: start[...$0], as: UTF8.self) } ?? ""
    }
}
