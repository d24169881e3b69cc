/// The options of a daemon: the one list that the parser and `--help` share.
public struct OptionTable: Sendable {
    /// One option.
    struct Option: Sendable {
        enum Meaning: Hashable, Sendable {
            case configuration, check, testFiles, verbose, version, help, standardIO, foreground,
                replay
            /// Sets a directive, to the option's argument or to a fixed value.
            case directive(String, fixed: String? = nil)
        }

        let letter: Character?
        var long: String?
        /// What stands for the argument in messages; nil when it takes none.
        var argument: String?
        let meaning: Meaning
        let text: String
    }

    let options: [Option]
    private let description: DaemonDescription

    /// The options of a daemon.
    public init(_ description: DaemonDescription) {
        self.description = description
        let extra = description.extraOptions
        var options = [
            Option(
                letter: "x", argument: "FILE", meaning: .configuration,
                text: "read this configuration; by default \(description.configurationFile)")
        ]
        if extra.contains(.configurationAsC) {
            options.append(
                Option(
                    letter: "c", argument: "FILE", meaning: .configuration, text: "the same as -x"))
        }
        options += [
            Option(
                letter: "p", argument: "SOCKET", meaning: .directive("Socket"),
                text: "listen here: unix:/PATH, inet:PORT@HOST, inet6:PORT@HOST, fd:N"),
            Option(
                letter: "u", argument: "USER", meaning: .directive("UserID"),
                text: "become this user, or USER:GROUP"),
            Option(
                letter: "P", argument: "FILE", meaning: .directive("PidFile"),
                text: "write the process id to this file"),
            Option(
                letter: "l", meaning: .directive("Syslog", fixed: "yes"),
                text: "log to syslog rather than to standard error"),
            Option(
                letter: "n", meaning: .check,
                text: "check the configuration and the files it names, and exit"),
            Option(
                letter: "t", argument: "FILES", meaning: .testFiles,
                text: extra.contains(.standardIO)
                    ? "answer the policy requests in these files, and exit"
                    : "evaluate the messages in these files, and exit"),
            Option(letter: "v", meaning: .verbose, text: "log more; twice for debugging"),
            Option(
                letter: "f", meaning: .foreground,
                text: "ignored: the daemon always stays in the foreground"),
        ]
        if extra.contains(.standardIO) {
            options.append(
                Option(
                    letter: nil, long: "stdio", meaning: .standardIO,
                    text: "serve one client on standard input and output"))
        }
        if extra.contains(.replay) {
            options.append(
                Option(
                    letter: nil, long: "replay", meaning: .replay,
                    text: "evaluate recorded decisions again, for signet explain --replay"))
        }
        options += [
            Option(letter: "V", long: "version", meaning: .version, text: "print the version"),
            Option(letter: "h", long: "help", meaning: .help, text: "print this help"),
        ]
        self.options = options
    }

    /// The text that `--help` prints.
    public var help: String {
        var text = "Usage: \(description.name) [OPTION]..."
        if description.extraOptions.contains(.configurationAsOperand) { text += " [FILE]" }
        text += "\n\(description.summary)\n\n"
        let names = options.map { option in
            var name = option.letter.map { "-\($0)" } ?? "  "
            if let long = option.long { name += (option.letter == nil ? "  " : ", ") + "--\(long)" }
            if let argument = option.argument { name += " \(argument)" }
            return name
        }
        let width = (names.map(\.count).max() ?? 0) + 2
        for (name, option) in zip(names, options) {
            let padding = String(repeating: " ", count: width - name.count)
            text += "  \(name)\(padding)\(option.text)\n"
        }
        return text + "\n\(description.name).conf(5) describes the configuration.\n"
    }
}
