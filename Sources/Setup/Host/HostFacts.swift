package import MailSyntax
package import PostfixConfiguration

/// What a plan depends on: the host's files and addresses, as values.
package struct HostFacts: Sendable {
    /// Postfix's release.
    package var release: PostfixRelease
    /// main.cf as it is; nil where there is none.
    package var mainFile: FileState?
    /// master.cf as it is; nil where there is none.
    package var masterFile: FileState?
    /// The parameters that hold where master.cf overrides none.
    package var values: ParameterValues
    /// The services.
    package var master: MasterConfiguration
    /// The daemons whose packages are installed.
    package var daemons: Set<SignetDaemon>
    /// The addresses from which this host's mail leaves.
    package var addresses: [IPAddress]
    /// Dovecot's submission service, if it is switched on.
    package var dovecot: DovecotSubmission?
    /// Whether Dovecot serves IMAP.
    package var servesIMAP = false
    /// The files that are read or written besides Postfix's, by their paths; nil where there is none.
    package var files: [String: FileState] = [:]
    /// The folders with private keys below that of KeyDirectory, where nothing names that yet.
    package var keyFolders: [String] = []
    /// The numbers of the accounts that own files of ours.
    package var accounts: SystemAccounts

    /// The name that the host gives in HELO, its banner and its Received fields.
    package var hostName: String { values["myhostname"] ?? "localhost" }

    /// Where the queue is.
    package var queueDirectory: String { values["queue_directory"] ?? "/var/spool/postfix" }
}
