internal import Configuration
import Glibc

/// Reads a configuration and says what is wrong with it: at start, for `-n`, and at every reload.
struct Startup<Program: DaemonProgram>: Sendable {
    let description: DaemonDescription
    let options: DaemonOptions
    let log: Log
    /// The sockets that systemd has passed.
    var activation = SocketActivation.none

    /// A configuration that was read.
    struct Configuration {
        /// What it says about the process.
        let service: ServiceSettings
        /// What the daemon made of it; nil when there are errors.
        let settings: Program.Settings?
        /// Whom to become; nil to stay.
        let account: Account?
        /// Everything found, in the order of the files.
        let problems: [ConfigurationProblem]
        /// The values of directives that a reload cannot change.
        let restartValues: [String: String]
    }

    /// Reads everything, the files that it names included.
    func configuration() throws(Failure) -> Configuration {
        let file = options.configurationFile ?? description.configurationFile
        // Only the usual file may be absent: then the defaults hold, as in the peers.
        let isMissing = unsafe access(file, F_OK) != 0 && errno == ENOENT
        let isAbsent = options.configurationFile == nil && isMissing
        let reader = ConfigurationReader(
            schema: description.schema, file: isAbsent ? nil : file, overrides: options.overrides)
        let service = ServiceSettings(reader)
        let account = Privileges.account(
            for: service, packageUser: description.name, unitUser: unitUser,
            serves: options.testFiles.isEmpty, reader: reader)
        // As the user that the daemon becomes: see Privileges.
        let settings = try Privileges.acting(as: account) {
            if !isAbsent { checkReloadable(file, reader) }
            let settings = Program.load(reader)
            if options.checksOnly, let settings {
                checkWrittenFiles(settings, reader)
                Program.check(settings, reader)
            }
            return settings
        }
        if let group = service.socketGroup, service.socketGroupIsExplicit,
            Account.group(named: group) == nil
        {
            reader.report(.error, "SocketGroup", "there is no group \(group)")
        }
        if options.checksOnly { checkPlaces(service, reader) }
        checkPassedSocket(service, reader)
        if settings == nil, !reader.problems.hasErrors {
            reader.report(
                ConfigurationProblem(
                    .error, at: SourceLocation(file: reader.file), "the daemon cannot use it"))
        }
        return Configuration(
            service: service, settings: reader.problems.hasErrors ? nil : settings,
            account: account, problems: reader.problems.sortedByPlace(),
            restartValues: reader.restartValues)
    }

    /// Warns of a configuration that the daemon could not read again once it has given up root.
    private func checkReloadable(_ file: String, _ reader: ConfigurationReader) {
        do throws(SystemError) {
            _ = try OpenFile(reading: file)
        } catch {
            guard error.code == EACCES, !reader.problems.hasErrors else { return }
            reader.report(
                ConfigurationProblem(
                    .warning, at: SourceLocation(file: file),
                    "the user that the daemon becomes cannot read this file: no reload will work",
                    suggestion: "let that user read it, with chgrp and chmod"))
        }
    }

    /// Warns of directories that are not there, which a start would only find later.
    private func checkPlaces(_ service: ServiceSettings, _ reader: ConfigurationReader) {
        func check(_ path: String, _ directive: String) {
            // A value that cannot be read has left the default in its place, which nobody asked for.
            guard
                !reader.problems.contains(where: {
                    $0.severity == .error && $0.directive == directive
                })
            else { return }
            let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            guard unsafe !parent.isEmpty && access(parent, F_OK) != 0 else { return }
            reader.report(
                .warning, directive,
                "the directory \(parent) cannot be reached: \(SystemError.last)")
        }
        if case .unix(let path)? = service.socket { check(path, "Socket") }
        if let path = service.pidFile { check(path, "PidFile") }
    }

    /// Looks at the files that the daemon would write.
    ///
    /// Those that it does without, such as a peer's whose directory only the peer's package makes, are no reason to refuse a
    /// configuration.
    private func checkWrittenFiles(_ settings: Program.Settings, _ reader: ConfigurationReader) {
        let unit = checksUnit ? SystemdUnit(name: "\(description.name).service") : nil
        for file in Program.writtenFiles(settings) {
            let isNamed = reader.isSet(file.directive)
            // The package makes the directory of a default.
            guard isNamed || file.directoryExists else { continue }
            let isOurs = isNamed && file.signature != nil
            file.check(isOurs ? .error : .warning, unit: unit, reader)
        }
    }

    /// Warns if `Socket` names another place than the socket that systemd passes, which is the one that is served.
    private func checkPassedSocket(_ service: ServiceSettings, _ reader: ConfigurationReader) {
        guard reader.isSet("Socket"), !options.overrides("Socket"), !options.usesStandardIO,
            let configured = service.socket, let passed = passedSockets.first,
            !passedSockets.contains(where: { $0.isSamePlace(as: configured) })
        else { return }
        reader.report(
            .warning, "Socket", "not listening on \(configured): systemd passes \(passed)",
            suggestion: "write \(passed.inMainCF) in main.cf, or change the socket with "
                + "\"systemctl edit \(description.name).socket\"")
    }

    /// Where the sockets are that systemd passes, or would pass to the daemon whose configuration is checked.
    private var passedSockets: [SocketSpec] {
        if options.checksOnly {
            let unit = SystemdUnit(name: "\(description.name).socket")
            guard checksUnit, unit.isEnabled(for: "sockets.target") else { return [] }
            return unit.values(of: "ListenStream").compactMap { SocketSpec(listenStream: $0) }
        }
        let descriptor = try? activation.socket(named: description.name)
        return descriptor.flatMap { SocketSpec(boundTo: $0) }.map { [$0] } ?? []
    }

    /// Whether a directive has no effect because systemd has passed a socket.
    func isGivenBySystemd(_ directive: String) -> Bool {
        !activation.passed.isEmpty && !options.overrides("Socket")
            && ["Socket", "SocketGroup"].contains(directive)
    }

    /// The user that the unit runs the daemon as; nil if another configuration than the unit's is read.
    private var unitUser: UserSpec? {
        guard options.checksOnly, checksUnit else { return nil }
        return SystemdUnit(name: "\(description.name).service").values(of: "User").last
            .flatMap { UserSpec($0) }
    }

    /// Whether the configuration is the one that the package's unit uses.
    private var checksUnit: Bool {
        SystemdUnit.isBooted
            && options.configurationFile ?? description.configurationFile
                == description.configurationFile
    }

    /// Logs what was found.
    ///
    /// Where syslog gets it, a person who started the daemon by hand sees the errors too.
    func log(_ problems: [ConfigurationProblem], as service: ServiceSettings?) {
        if let service, service.usesSyslog {
            for problem in problems where problem.severity == .error {
                log.error(problem.description)
            }
        }
        if let service { configureLog(service) }
        for problem in problems {
            let level: Log.Level =
                switch problem.severity {
                case .error: .error
                case .warning: .warning
                case .notice: .notice
                }
            log.log(level, problem.description)
        }
    }

    /// Sends the log where the configuration wants it.
    func configureLog(_ service: ServiceSettings) {
        guard service.usesSyslog || StandardError.isClient else {
            return log.redirect(to: DescriptorSink.standardError())
        }
        log.redirect(
            to: SyslogSink(
                facility: service.syslogFacility, name: service.syslogName ?? description.name,
                fallback: StandardError.sink))
    }
}
