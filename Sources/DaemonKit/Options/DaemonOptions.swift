public import Configuration

/// What the command line asks of a daemon.
public struct DaemonOptions: Hashable, Sendable {
    /// `-x FILE`: the configuration; nil for the usual one.
    public var configurationFile: String?
    /// `-n`: check everything and stop.
    public var checksOnly = false
    /// `-t FILES…`: evaluate messages from these files and stop; empty for a daemon.
    public var testFiles: [String] = []
    /// `-v`, counted.
    public var verbosity = 0
    /// `-V`: print the version and stop.
    public var showsVersion = false
    /// `--help`: print the options and stop.
    public var showsHelp = false
    /// `--stdio`: serve one client on standard input and output.
    public var usesStandardIO = false
    /// `--replay`: take the decisions of a record again and stop.
    public var replays = false
    /// Directives that options set (`-p`, `-u`, `-P`, `-l`); they hold against the file.
    public var overrides: [ConfigurationStatement] = []

    /// Whether an option sets a directive.
    public func overrides(_ directive: String) -> Bool {
        overrides.contains { $0.name == directive }
    }

    /// A usage error.
    public struct UsageError: Error, Hashable, Sendable {
        /// What is wrong.
        public let message: String
    }

    /// Reads a command line without the program's name.
    public init(
        parsing arguments: [String], for description: DaemonDescription
    ) throws(UsageError) {
        let table = OptionTable(description)
        var rest = arguments[...]
        var operands: [String] = []
        while let argument = rest.popFirst() {
            if argument == "--" {
                operands += rest
                break
            } else if argument.hasPrefix("--") {
                try takeLong(argument.dropFirst(2), from: table, &rest)
            } else if argument.hasPrefix("-"), argument != "-" {
                try takeShort(argument.dropFirst(), from: table, &rest)
            } else {
                operands.append(argument)
            }
        }
        if !testFiles.isEmpty {
            testFiles += operands
        } else if description.extraOptions.contains(.configurationAsOperand), operands.count == 1,
            configurationFile == nil
        {
            configurationFile = operands.first
        } else if let operand = operands.first {
            throw UsageError(message: "unexpected argument \"\(operand)\"")
        }
    }

    /// `--name`, `--name=value`.
    private mutating func takeLong(
        _ text: Substring, from table: OptionTable, _ rest: inout ArraySlice<String>
    ) throws(UsageError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        guard let option = table.options.first(where: { $0.long == name }) else {
            throw UsageError(message: "unknown option --\(name)")
        }
        if parts.count == 2 {
            throw UsageError(message: "--\(name) takes no value")
        }
        apply(option, "", spelling: "--\(name)")
    }

    /// `-x`, `-x value`, `-xvalue`, and flags together: `-nv`.
    private mutating func takeShort(
        _ text: Substring, from table: OptionTable, _ rest: inout ArraySlice<String>
    ) throws(UsageError) {
        var letters = text
        while let letter = letters.popFirst() {
            guard let option = table.options.first(where: { $0.letter == letter }) else {
                throw UsageError(message: "unknown option -\(letter)")
            }
            guard let metavariable = option.argument else {
                apply(option, "", spelling: "-\(letter)")
                continue
            }
            guard let value = letters.isEmpty ? rest.popFirst() : String(letters), !value.isEmpty
            else { throw UsageError(message: "-\(letter) needs its \(metavariable)") }
            apply(option, value, spelling: "-\(letter)")
            return
        }
    }

    private mutating func apply(_ option: OptionTable.Option, _ value: String, spelling: String) {
        switch option.meaning {
        case .configuration: configurationFile = value
        case .check: checksOnly = true
        case .testFiles: testFiles += value.split(separator: ",").map(String.init)
        case .verbose: verbosity += 1
        case .version: showsVersion = true
        case .help: showsHelp = true
        case .standardIO: usesStandardIO = true
        case .replay: replays = true
        case .foreground: break
        case .directive(let name, let fixed):
            overrides.append(
                ConfigurationStatement(
                    name, fixed ?? value, at: SourceLocation(file: "option \(spelling)")))
        }
    }
}
