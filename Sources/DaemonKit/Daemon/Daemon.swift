internal import Configuration
import Glibc

/// Drives a daemon from its command line to its exit status.
struct Daemon<Program: DaemonProgram> {
    private let arguments: [String]
    private let description = Program.description

    init(arguments: [String]) {
        self.arguments = Array(arguments.dropFirst())
    }

    func run() -> Never {
        let log = Log()
        if StandardError.isClient {
            log.redirect(
                to: SyslogSink(
                    facility: "mail", name: description.name, fallback: StandardError.sink))
        }
        do throws(Failure) {
            exit(try run(log: log).rawValue)
        } catch {
            ServiceManager().status("not started: \(error.message)")
            log.error(error.message)
            // Whoever started it by hand sees the reason too.
            if !log.writesToStandardError, !StandardError.isClient { Log().error(error.message) }
            exit(error.exitCode.rawValue)
        }
    }

    private func run(log: Log) throws(Failure) -> ExitCode {
        let options: DaemonOptions
        do throws(DaemonOptions.UsageError) {
            options = try DaemonOptions(parsing: arguments, for: description)
        } catch {
            throw Failure(
                .usage, "\(description.name): \(error.message); try \(description.name) --help")
        }
        if options.showsHelp {
            return Self.printed(OptionTable(description).help)
        }
        if options.showsVersion {
            return Self.printed("\(description.name) \(description.version)\n")
        }
        if options.verbosity > 0 { log.level = .debug }
        let isService = !options.checksOnly && options.testFiles.isEmpty && !options.replays
        // Before anything can start a thread, so that every thread inherits the mask.
        let signals = isService ? Signals.block() : nil
        let startup = Startup<Program>(
            description: description, options: options, log: log,
            activation: isService ? SocketActivation.take() : .none)
        let configuration = try startup.configuration()
        if options.checksOnly {
            startup.log(configuration.problems, as: nil)
            guard configuration.settings != nil else {
                refuseReload(configuration.problems, log)
                return .configuration
            }
            log.debug("the configuration can be used")
            return .ok
        }
        startup.log(configuration.problems, as: isService ? configuration.service : nil)
        guard let settings = configuration.settings else {
            throw Failure(
                .configuration,
                "\(description.name) does not start: \(configuration.problems.errorSummary)")
        }
        if options.replays { return replay(settings, log) }
        guard let signals else {
            return Program.evaluate(
                files: options.testFiles, settings: settings, verbosity: options.verbosity, log: log
            )
        }
        let service = Service<Program>(startup: startup, configuration: configuration)
        return try service.run(settings: settings, signals: signals)
    }

    /// Takes the decisions of the record on standard input again.
    private func replay(_ settings: Program.Settings, _ log: Log) -> ExitCode {
        guard let input = try? MessageInput.read("-"),
            let output = Program.replay(input, settings: settings, log: log)
        else { return .noInput }
        return StandardOutput.write(output) ? .ok : .ioError
    }

    /// Says, where the unit checks the configuration before a reload (systemd.service(5), ExecReload), that the daemon goes on as
    /// before.
    private func refuseReload(_ problems: [ConfigurationProblem], _ log: Log) {
        guard Environment.value("MAINPID") != nil else { return }
        log.error("the reload is refused: the daemon goes on with the old configuration")
        ServiceManager().status(
            "running with the old configuration; the last reload was refused: "
                + problems.errorSummary)
    }

    private static func printed(_ text: String) -> ExitCode {
        StandardOutput.write(Array(text.utf8)) ? .ok : .ioError
    }
}
