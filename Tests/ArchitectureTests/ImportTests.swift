import Foundation
import Testing

/// The walls between the modules: `imports.txt` beside this file lists what each one may import.
///
/// A module that needs another one gets a line changed there, in the open, and not by accident.
@Suite struct ImportTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The modules that a table of lines `Module: import import` allows each module to import.
    private static func allowed() throws -> [String: Set<String>] {
        let table = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "imports.txt")
        var allowed: [String: Set<String>] = [:]
        for line in try String(contentsOf: table, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            let module = try #require(parts.first.map(String.init))
            #expect(parts.count == 2, "\(line)")
            #expect(allowed[module] == nil, "\(module) has two lines")
            allowed[module] = Set(parts[1].split(separator: " ").map(String.init))
        }
        return allowed
    }

    /// The modules that the Swift files below a directory import; nil where there are no such
    /// files.
    private static func imports(below directory: URL) throws -> Set<String>? {
        var names: Set<String>?
        let files = FileManager.default.enumerator(at: directory, includingPropertiesForKeys: nil)
        for case let file as URL in try #require(files) where file.pathExtension == "swift" {
            names = names ?? []
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                if let match = line.wholeMatch(of: importLine) {
                    names?.insert(String(match.output.1))
                }
            }
        }
        return names
    }

    private static var importLine: Regex<(Substring, Substring)> {
        /(?:@\w+(?:\(.*?\))? )*(?:(?:public|package|internal) )?import (?:(?:struct|enum|class|func) )?(\w+).*/
    }

    @Test func everyModuleImportsWhatItMay() throws {
        let allowed = try Self.allowed()
        let sources = Self.root.appending(path: "Sources")
        let modules = try FileManager.default.contentsOfDirectory(
            at: sources, includingPropertiesForKeys: [.isDirectoryKey]
        ).filter {
            try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true
        }
        var found: [String: Set<String>] = [:]
        for module in modules {
            // The C libraries have no Swift in them.
            found[module.lastPathComponent] = try Self.imports(below: module)
        }
        #expect(found.keys.sorted() == allowed.keys.sorted(), "the modules of the table")
        for (module, names) in found {
            let forbidden = names.subtracting(allowed[module] ?? [])
            #expect(forbidden.isEmpty, "\(module) may not import \(forbidden.sorted())")
            let unused = (allowed[module] ?? []).subtracting(names)
            #expect(unused.isEmpty, "\(module) no longer imports \(unused.sorted())")
        }
    }

    /// Linking an engine links no C library but OpenSSL.
    @Test func enginesReachNoLibraryButOpenSSL() throws {
        let allowed = try Self.allowed()
        for engine in [
            "MailAuth", "MailEvaluation", "MailSyntax", "HeaderScrub", "Configuration",
        ] {
            var reached: Set<String> = []
            var open = [engine]
            while let module = open.popLast() {
                guard reached.insert(module).inserted else { continue }
                open += allowed[module] ?? []
            }
            let libraries = reached.filter { $0.hasPrefix("C") && allowed[$0] == nil }
            #expect(libraries.isSubset(of: ["COpenSSL"]), "\(engine) reaches \(libraries)")
        }
    }
}
