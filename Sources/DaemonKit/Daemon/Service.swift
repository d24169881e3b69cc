internal import CLinux
internal import Configuration
import Glibc
import Threads

/// A daemon's life as a service: socket, privileges, signals, and the end.
struct Service<Program: DaemonProgram> {
    let startup: Startup<Program>
    let configuration: Startup<Program>.Configuration

    private var description: DaemonDescription { startup.description }
    private var options: DaemonOptions { startup.options }
    private var log: Log { startup.log }

    /// Serves until asked to stop.
    func run(settings: Program.Settings, signals: Signals) throws(Failure) -> ExitCode {
        DescriptorLimit.raise()
        let listener = try listener(startup.activation)
        let pidFile = listener == nil ? nil : writePidFile()
        if let account = configuration.account { try Privileges.drop(to: account) }
        let context = DaemonContext(
            settings: settings, log: log,
            endpoint: listener.map { .listener($0.descriptor) } ?? .standardIO,
            othersListen: listener?.isOwn == false)
        let manager = ServiceManager()
        let cleanUp: @Sendable () -> Void = {
            listener?.removeFile()
            pidFile?.remove()
        }
        let control = Control<Program>(
            startup: startup, context: context, manager: manager,
            restartValues: configuration.restartValues,
            cleanUp: cleanUp)
        Self.useOneHeap()
        guard startThread({ control.run(signals) }) else {
            throw Failure(.systemError, "no thread for signals can be started")
        }
        if let listener {
            log.notice("\(description.name) \(description.version) listens on \(place(listener))")
            manager.ready(Program.summary(of: settings))
        }
        let exitCode = Program.serve(context)
        cleanUp()
        if listener != nil { log.notice("\(description.name) stops") }
        return exitCode
    }

    /// One heap for all threads: they come and go, and each would leave one of its own half empty.
    ///
    /// What a thread has just given back it takes again without the heap's lock; no cost of the lock could be measured. It has to be
    /// said before there is a second thread, which would have another by then.
    private static func useOneHeap() {
        mallopt(M_ARENA_MAX, 1)
    }

    /// The socket to serve on; nil for standard input and output.
    ///
    /// `--stdio` and `-p` say it in so many words; then systemd's socket counts, then a client that is already there on standard
    /// input, then the configuration.
    private func listener(_ activation: SocketActivation) throws(Failure) -> Listener? {
        let speaksStandardIO = description.extraOptions.contains(.standardIO)
        if options.usesStandardIO { return nil }
        if !options.overrides("Socket") {
            if let passed = try activation.socket(named: description.name) {
                return try Listener(inherited: passed)
            }
            if speaksStandardIO, Self.hasClientOnStandardInput { return nil }
        }
        guard let socket = configuration.service.socket else {
            throw Failure(.configuration, "there is no Socket to listen on")
        }
        switch socket {
        case .unix(let path):
            return try Listener(
                unix: path,
                access: Listener.Access(mask: configuration.service.mask, group: socketGroup))
        case .inet(let port, let host):
            return try Listener(port: port, host: host, family: AF_INET)
        case .inet6(let port, let host):
            return try Listener(port: port, host: host, family: AF_INET6)
        case .descriptor(let descriptor):
            return try Listener(inherited: descriptor)
        }
    }

    /// The group that a socket of ours gets: `SocketGroup`'s where we may give it, else the daemon's own.
    private var socketGroup: gid_t? {
        let group = configuration.service.socketGroup.flatMap(Account.group(named:))
        if geteuid() == 0 { return group ?? configuration.account?.group }
        guard let group else { return nil }
        let mayGive = KeyFileSafety.current.groups.contains(group)
        if !mayGive {
            log.notice(
                "only root or a member can give the socket to group "
                    + "\(configuration.service.socketGroup ?? ""); it keeps the group of this process"
            )
        }
        return mayGive ? group : nil
    }

    private func writePidFile() -> PidFile? {
        guard let path = configuration.service.pidFile else { return nil }
        do throws(Failure) {
            return try PidFile.write(
                path, mask: configuration.service.mask, as: configuration.account)
        } catch {
            // Nothing of ours reads it; peers' configurations name directories that only their packages make.
            log.warning(error.message)
            return nil
        }
    }

    private func place(_ listener: Listener) -> String {
        guard let socket = configuration.service.socket, listener.isOwn else {
            let place = SocketSpec(boundTo: listener.descriptor)?.description
            return place.map { "\($0), which was passed to it" }
                ?? "a socket that was passed to it (fd \(listener.descriptor))"
        }
        return socket.description
    }

    /// Whether standard input is a socket or pipe: spawn(8), or a person's script, has a client for us there.
    private static var hasClientOnStandardInput: Bool {
        var status = stat()
        guard unsafe fstat(0, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFSOCK || status.st_mode & S_IFMT == S_IFIFO
    }
}
