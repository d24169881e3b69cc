internal import Foundation

/// What the tests find beside the project: the peers' pages and the configurations of guides and Debian's packages.
public enum Shared {
    /// The folder, which `SIGNET_SHARED` may name; nil where it is absent.
    public static let folder: String? = {
        let beside = URL(fileURLWithPath: #filePath)
            .appendingPathComponent("../../../../shared").standardized.path
        let path = ProcessInfo.processInfo.environment["SIGNET_SHARED"] ?? beside
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    /// A file in it as text.
    public static func text(_ name: String) throws -> String {
        try String(contentsOfFile: (folder ?? "") + "/" + name, encoding: .utf8)
    }
}
