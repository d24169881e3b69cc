internal import Configuration
import Glibc

/// Becoming an unprivileged user, for a while or for good.
///
/// The order at start: the configuration is read as whoever starts the daemon, its data sets and keys *as the user that the daemon
/// becomes* (by effective ids only), so that what the daemon could not read at a reload is found before it starts; then, as root
/// again, the socket and the pid file are made; then root is given up for good, and everything from outside comes after that.
enum Privileges {
    /// Runs `body` with another user's effective ids and groups; as oneself when there is no account to change to.
    static func acting<Result>(
        as account: Account?, _ body: () -> Result
    ) throws(Failure) -> Result {
        guard let account, geteuid() == 0 else { return body() }
        var groups = [gid_t](repeating: 0, count: 1024)
        let count = unsafe getgroups(Int32(groups.count), &groups)
        let group = getegid()
        guard count >= 0, unsafe initgroups(account.name, account.group) == 0,
            setegid(account.group) == 0, seteuid(account.user) == 0
        else {
            throw Failure(.noPermission, "cannot act as user \(account.name): \(SystemError.last)")
        }
        let result = body()
        guard seteuid(0) == 0, setegid(group) == 0, unsafe setgroups(Int(count), groups) == 0 else {
            throw Failure(.systemError, "cannot become root again: \(SystemError.last)")
        }
        return result
    }

    /// Becomes a user for good, and makes sure that there is no way back.
    static func drop(to account: Account) throws(Failure) {
        guard unsafe initgroups(account.name, account.group) == 0, setgid(account.group) == 0,
            setuid(account.user) == 0
        else {
            throw Failure(.noPermission, "cannot become user \(account.name): \(SystemError.last)")
        }
        // setuid(2) sets the real, effective and saved ids when root calls it; trying is the only proof.
        guard getuid() == account.user, geteuid() == account.user, getgid() == account.group,
            getegid() == account.group, setuid(0) == -1, seteuid(0) == -1
        else {
            throw Failure(.systemError, "root could be regained after becoming \(account.name)")
        }
    }

    /// Whom to become, as the configuration and the system have it; nil to stay.
    ///
    /// `unitUser` is whom systemd starts the daemon as, where that is not for the configuration to choose. Findings are reported at
    /// the directive's place; that root stays root, only of a daemon that `serves`.
    static func account(
        for settings: ServiceSettings, packageUser: String, unitUser: UserSpec? = nil,
        serves: Bool, reader: ConfigurationReader
    ) -> Account? {
        let isRoot = geteuid() == 0
        func warnOfRoot(_ suggestion: String) {
            guard serves else { return }
            reader.report(
                .warning, "UserID", "the daemon keeps running as root",
                suggestion: "\(suggestion); the package creates \(packageUser)")
        }
        if isRoot, let unitUser, let account = try? Account(unitUser), account.user != 0 {
            if let spec = settings.user, (try? Account(spec))?.user != account.user {
                reader.report(
                    .notice, "UserID",
                    "the unit runs the daemon as \(unitUser); files are checked for that user")
            }
            return account
        }
        guard let spec = settings.user else {
            guard isRoot else { return nil }
            guard let spec = UserSpec(packageUser), let account = try? Account(spec) else {
                warnOfRoot("name a user")
                return nil
            }
            return account
        }
        do throws(Account.Missing) {
            let account = try Account(spec)
            if isRoot {
                guard account.user == 0 else { return account }
                warnOfRoot("name another user")
            } else if account.user != geteuid() {
                reader.report(
                    .notice, "UserID",
                    "only root can become \(spec); still running as \(Account.effective.name)")
            }
        } catch {
            let what =
                switch error {
                case .user(let name): "there is no user \(name)"
                case .group(let name): "there is no group \(name)"
                }
            reader.report(
                .error, "UserID", what, suggestion: "the package creates the user \(packageUser)")
        }
        return nil
    }
}
