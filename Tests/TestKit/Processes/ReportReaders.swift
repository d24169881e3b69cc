internal import Foundation

/// Somebody else's readers of DMARC reports, from PyPI in a virtual environment beside the tests: parsedmarc, and the schemas of the
/// package dmarc.
///
/// It is made once, and stays with what was built.
public enum ReportReaders {
    private static let packages = [
        "parsedmarc==11.1.0", "dmarc==1.2.1", "xmlschema==4.3.2",
    ]

    /// The environment's Python; nil where it cannot be made, as PyPI cannot be reached.
    public static let python: String? = try? make()

    private static func make() throws -> String? {
        let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "report-readers")
        let python = folder.appending(path: "bin/python").path
        let mark = folder.appending(path: packages.joined(separator: " ")).path
        if FileManager.default.fileExists(atPath: mark) { return python }
        try? FileManager.default.removeItem(at: folder)
        try Command.require("python3", ["-m", "venv", folder.path])
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try Command.require("timeout", ["180", python] + install + packages)
        _ = FileManager.default.createFile(atPath: mark, contents: nil)
        return python
    }
}
