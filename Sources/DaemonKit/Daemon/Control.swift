import Configuration
import Glibc

/// Answers to signals: HUP and USR1 read the configuration again, TERM and INT end the daemon, a second one at once.
struct Control<Program: DaemonProgram>: Sendable {
    let startup: Startup<Program>
    let context: DaemonContext<Program.Settings>
    let manager: ServiceManager
    let restartValues: [String: String]
    let cleanUp: @Sendable () -> Void

    private var log: Log { startup.log }

    /// Runs in a thread of its own, for as long as the process lives.
    func run(_ signals: Signals) {
        var signals = signals
        while true {
            let number = signals.next()
            switch number {
            case SIGHUP, SIGUSR1:
                if !context.isStopping { reload() }
            case SIGTERM, SIGINT:
                guard !context.isStopping else {
                    cleanUp()
                    signals.die(of: number)
                }
                log.notice("asked to stop: finishing what is under way")
                manager.stopping()
                context.stop()
            default:
                break
            }
        }
    }

    /// Puts the new configuration in the old one's place, or says why not and keeps the old.
    private func reload() {
        manager.reloading()
        let configuration: Startup<Program>.Configuration
        do throws(Failure) {
            configuration = try startup.configuration()
        } catch {
            refuse(error.message)
            return
        }
        guard let settings = configuration.settings else {
            startup.log(configuration.problems, as: nil)
            refuse(configuration.problems.errorSummary)
            return
        }
        startup.log(configuration.problems, as: configuration.service)
        for (name, value) in configuration.restartValues
        where restartValues[name] != value && !startup.isGivenBySystemd(name) {
            log.warning("\(name) \(value) takes effect at the next start only")
        }
        for name in restartValues.keys
        where configuration.restartValues[name] == nil && !startup.isGivenBySystemd(name) {
            log.warning("the default of \(name) takes effect at the next start only")
        }
        context.settings.replace(with: settings)
        log.notice("the configuration is reloaded")
        context.reloaded(true)
        manager.ready(Program.summary(of: settings))
    }

    /// Goes on with the old configuration, and says why in the log and in `systemctl status`.
    private func refuse(_ reason: String) {
        log.error("the configuration is not reloaded, the old one stays: \(reason)")
        context.reloaded(false)
        manager.ready(
            "\(Program.summary(of: context.settings.current)), with the old configuration; the last "
                + "reload was refused: \(reason)")
    }
}
