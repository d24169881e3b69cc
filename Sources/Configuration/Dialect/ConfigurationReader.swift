/// Gives a daemon its directives' values, typed and checked, and collects everything that is wrong with them.
///
/// A daemon reads what it needs, adds what only it can check with `report`, and then looks at `problems`: a value with an
/// error reads as its default, so reading goes on and one run finds everything. What is read is never trusted to be right: the
/// configuration may be used only when `problems.hasErrors` is false.
public final class ConfigurationReader {
    /// The directives that are known.
    public let schema: ConfigurationSchema
    /// The configuration file's path, which whole-file findings name.
    public let file: String
    /// Everything found so far, in the order in which it was found.
    public private(set) var problems: [ConfigurationProblem] = []
    /// The directives that an error was found in: with very many findings, nobody can look through all of them for each.
    package private(set) var faulty: Set<String> = []
    /// Statements about known directives by lower-cased canonical name, in file order.
    private var statements: [String: [ConfigurationStatement]] = [:]
    /// The same statements in file order, for directives whose order counts across names.
    private var order: [(name: String, statement: ConfigurationStatement)] = []
    /// Where relative paths begin, without a slash at the end; nil where they mean nothing.
    public let baseFolder: String?
    /// Values that could be read, by lower-cased canonical name, in file order.
    private var values: [String: [(value: DirectiveValue, location: SourceLocation)]] = [:]

    /// Reads a file, nil for none; `overrides` (from the command line) hold against what the file says.
    ///
    /// A program that needs a few directives of another one's file passes over all others.
    public convenience init(
        schema: ConfigurationSchema, file: String?, overrides: [ConfigurationStatement] = [],
        passingOverOthers: Bool = false
    ) {
        var problems: [ConfigurationProblem] = []
        let statements =
            file.map { path in
                ConfigurationFile.statements(path: path) { problems.append($0) }
            } ?? []
        self.init(
            schema: schema, file: file ?? "defaults",
            statements: statements.filter { !passingOverOthers || schema[$0.name] != nil },
            problems: problems,
            overrides: overrides)
    }

    /// Reads a text as if it were the file `name`.
    public convenience init(
        schema: ConfigurationSchema, text: String, named name: String = "text",
        overrides: [ConfigurationStatement] = []
    ) {
        var problems: [ConfigurationProblem] = []
        let statements = ConfigurationFile.statements(text: Array(text.utf8), file: name) {
            problems.append($0)
        }
        self.init(
            schema: schema, file: name, statements: statements, problems: problems,
            overrides: overrides)
    }

    private init(
        schema: ConfigurationSchema, file: String, statements: [ConfigurationStatement],
        problems: [ConfigurationProblem], overrides: [ConfigurationStatement]
    ) {
        self.schema = schema
        self.file = file
        baseFolder = Self.baseFolder(file: file, statements)
        // Of what the files themselves have wrong, lines have no directive's name.
        for problem in problems {
            let isLine = problem.directive == nil && problem.location.line != nil
            add(problem, isLine ? "ignored, as by \(schema.peer)" : nil)
        }
        for statement in statements { take(statement, noteRepeats: true) }
        for statement in overrides { take(statement, noteRepeats: false) }
    }

    /// Checks one statement against the schema and keeps its value.
    private func take(_ statement: ConfigurationStatement, noteRepeats: Bool) {
        let place = statement.location
        guard let spec = schema[statement.name] else {
            let nearest = schema.nearest(to: statement.name)
            add(
                ConfigurationProblem(
                    .error, at: place, directive: statement.name, "unknown directive",
                    suggestion: nearest.map { "did you mean \($0)?" }),
                "ignored, as by \(schema.peer)")
            return
        }
        let isTolerated = schema.tolerance?.covers(spec.name) ?? false
        switch spec.support {
        case .noOp(let notice):
            keep(
                ConfigurationProblem(
                    .notice, at: place, directive: spec.name, "has no effect here: \(notice)"))
        case .refused(_, _, acceptsNo: true)
        where (try? DirectiveValue(statement.value, as: .boolean)) == .boolean(false):
            break
        case .refused(let reason, let instead, _):
            keep(
                ConfigurationProblem(
                    .error, at: place, directive: spec.name, reason, suggestion: instead))
        case .implemented(let kind):
            guard !statement.value.isEmpty else {
                add(
                    ConfigurationProblem(
                        .error, at: place, directive: spec.name, "has no value",
                        suggestion: "leave the line out to have the default"),
                    isTolerated ? "the default holds" : nil)
                return
            }
            let key = spec.name.lowercased()
            if noteRepeats, !spec.accumulates, let earlier = statements[key]?.last {
                keep(
                    ConfigurationProblem(
                        .notice, at: place, directive: spec.name,
                        "given twice: this line counts, and not \(earlier.location)"))
            }
            statements[key, default: []].append(statement)
            order.append((spec.name, statement))
            do {
                var text = statement.value
                if kind == .path, noteRepeats {
                    text = absolutePath(text, directive: spec.name, at: place)
                }
                let value = try DirectiveValue(text, as: kind)
                values[key, default: []].append((value, place))
            } catch {
                var words = isTolerated && !error.isNoNumber ? "the default holds" : nil
                if isTolerated, let bound = error.bound {
                    words = "\(bound) is taken"
                    let nearest: DirectiveValue =
                        if case .duration = kind { .duration(seconds: bound) } else {
                            .integer(bound)
                        }
                    values[key, default: []].append((nearest, place))
                }
                add(
                    ConfigurationProblem(
                        .error, at: place, directive: spec.name, error.message,
                        suggestion: error.suggestion), words)
            }
        }
    }

    private func keep(_ problem: ConfigurationProblem) {
        problems.append(problem)
        if problem.severity == .error, let name = problem.directive { faulty.insert(name) }
    }

    /// Adds a finding: an error as a warning with these words, where the dialect is that of a peer which goes on.
    private func add(_ problem: ConfigurationProblem, _ words: String?) {
        if let words, let tolerance = schema.tolerance, problem.severity == .error,
            !problem.isDangerous
        {
            keep(tolerance.lowered(problem, saying: words))
        } else {
            keep(problem)
        }
    }

    // MARK: Relative paths

    /// BaseDirectory, or else the folder of the configuration.
    ///
    /// A daemon has no working directory of its own, and the peers' files have paths that are relative to one of these.
    private static func baseFolder(
        file: String, _ statements: [ConfigurationStatement]
    ) -> String? {
        let given = statements.last { $0.name.lowercased() == "basedirectory" }?.value
        if let given, given.hasPrefix("/") { return given == "/" ? "" : given }
        guard let slash = file.lastIndex(of: "/") else { return WorkingDirectory.of(file) }
        let folder = String(file[..<slash])
        return file.hasPrefix("/") ? folder : WorkingDirectory.of(file).map { "\($0)/\(folder)" }
    }

    /// A path as it is, or a relative one in full, with a warning that says what it is taken for.
    ///
    /// Where nothing says what it is relative to, it stays as it is: whoever uses it refuses it.
    public func absolutePath(
        _ path: String, directive: String, at place: SourceLocation
    ) -> String {
        guard !path.hasPrefix("/"), !path.isEmpty, let baseFolder else { return path }
        let rest = path.hasPrefix("./") ? path.dropFirst(2) : path[...]
        let full = "\(baseFolder)/\(rest)"
        report(
            ConfigurationProblem(
                .warning, at: place, directive: directive,
                "the relative path \"\(path)\" is taken for \(full)",
                suggestion: "write it in full"))
        return full
    }

    // MARK: Findings

    /// Adds a finding at a directive's place: the line that holds, or the file as a whole when it is not given.
    public func report(
        _ severity: ConfigurationProblem.Severity, _ directive: String, _ message: String,
        suggestion: String? = nil
    ) {
        report(
            ConfigurationProblem(
                severity, at: location(of: directive) ?? SourceLocation(file: file),
                directive: schema[directive]?.name ?? directive, message, suggestion: suggestion))
    }

    /// Adds a finding.
    public func report(_ problem: ConfigurationProblem) {
        let isTolerated = problem.directive.map { schema.tolerance?.covers($0) ?? false } ?? false
        add(problem, isTolerated ? "left out" : nil)
    }

    /// Where the value that holds stands; nil when the default holds.
    public func location(of directive: String) -> SourceLocation? {
        statements[key(directive)]?.last?.location
    }

    /// Whether the configuration or the command line gives the directive.
    public func isSet(_ directive: String) -> Bool {
        statements[key(directive)] != nil
    }

    // MARK: Values

    /// A yes or no; no when there is neither a value nor a default.
    public func boolean(_ directive: String) -> Bool {
        if case .boolean(let value)? = value(directive) { return value }
        return false
    }

    /// A whole number; nil when there is neither a value nor a default.
    public func integer(_ directive: String) -> Int? {
        if case .integer(let value)? = value(directive) { return value }
        return nil
    }

    /// A time; nil when there is neither a value nor a default.
    public func duration(_ directive: String) -> Duration? {
        if case .duration(let seconds)? = value(directive) { return .seconds(seconds) }
        return nil
    }

    /// A text, a path, or a word in its canonical spelling; nil when there is neither a value nor a default.
    public func text(_ directive: String) -> String? {
        if case .text(let value)? = value(directive) { return value }
        return nil
    }

    /// A word as a case of an enumeration whose raw values are the schema's canonical spellings.
    public func word<Word: RawRepresentable<String>>(
        _ directive: String, as type: Word.Type
    ) -> Word? {
        text(directive).flatMap(Word.init(rawValue:))
    }

    /// A socket; nil when there is neither a value nor a default.
    public func socket(_ directive: String) -> SocketSpec? {
        if case .socket(let value)? = value(directive) { return value }
        return nil
    }

    /// A user; nil when there is neither a value nor a default.
    public func user(_ directive: String) -> UserSpec? {
        if case .user(let value)? = value(directive) { return value }
        return nil
    }

    /// A file mode mask; nil when there is neither a value nor a default.
    public func mask(_ directive: String) -> UInt32? {
        if case .mask(let value)? = value(directive) { return value }
        return nil
    }

    /// Every statement about the given directives, in the order in which they stand in the file.
    public func statements(of directives: [String]) -> [ConfigurationStatement] {
        let wanted = Set(directives.map(key))
        return order.filter { wanted.contains($0.name.lowercased()) }.map(\.statement)
    }

    /// The values as written of the directives that a reload cannot change.
    package var restartValues: [String: String] {
        var values: [String: String] = [:]
        for spec in schema.directives where spec.needsRestart {
            values[spec.name] = statements[key(spec.name)]?.last?.value
        }
        return values
    }

    private func key(_ directive: String) -> String {
        (schema[directive]?.name ?? directive).lowercased()
    }

    /// The value that holds: the last one given, or the default.
    private func value(_ directive: String) -> DirectiveValue? {
        guard let spec = schema[directive], case .implemented(let kind) = spec.support else {
            // Our own mistake rather than the postmaster's; reported like one, so that every test of a schema finds it.
            report(.error, directive, "is read by the program but not declared in its schema")
            return nil
        }
        if let last = values[spec.name.lowercased()]?.last { return last.value }
        guard let text = spec.defaultValue else { return nil }
        do {
            return try DirectiveValue(text, as: kind)
        } catch {
            report(.error, directive, "its default does not parse: \(error.message)")
            return nil
        }
    }
}
