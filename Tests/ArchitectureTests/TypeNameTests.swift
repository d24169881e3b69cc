import Foundation
import Testing

/// A type's name means one thing in the whole suite: nobody has to ask which one a log, a crash or
/// a diff speaks of.
@Suite struct TypeNameTests {
    /// The declaration of a type at the top level of a file.
    private static var declaration: Regex<(Substring, Substring)> {
        /(?:@\w+(?:\(.*?\))? )*(?:(?:public|package|internal|private|fileprivate|final|indirect|nonisolated|unsafe) )*(?:struct|class|enum|protocol|actor|typealias) (\w+).*/
    }

    @Test func noTwoModulesDeclareATypeOfOneName() throws {
        var modules: [String: Set<String>] = [:]
        for module in try Sources.modules {
            for line in try Sources.lines(of: module) {
                guard let match = line.wholeMatch(of: Self.declaration) else { continue }
                modules[String(match.output.1), default: []].insert(module)
            }
        }
        // A pattern that finds nothing would pass.
        #expect(modules["HeaderSection"] == ["MailSyntax"])
        for (name, modules) in modules where modules.count > 1 {
            Issue.record("\(name) is declared in \(modules.sorted())")
        }
    }
}
