import Configuration
import MailAuth
import MailSyntax
import Traffic

/// Why a message is left alone.
enum Skip: Equatable, Sendable {
    /// IgnoreHosts names the client.
    case host(String)
    /// The client has logged in.
    case authenticated(String)
    /// IgnoreMailFrom names all author domains.
    case author(String)

    /// Decides what is known before the message: from the client alone.
    init?(_ client: Client, _ scope: Scope) {
        if scope.ignoredHosts.contains(hostName: client.hostName, address: client.address) {
            self = .host(client.description)
        } else if scope.ignoresAuthenticated, let type = client.authenticationType, !type.isEmpty {
            self = .authenticated(client.description)
        } else {
            return nil
        }
    }

    /// Decides by the author: all domains must be listed, or one would lend its name to the others.
    init?(_ author: AuthorField, _ scope: Scope) {
        let domains = author.domains
        guard !domains.isEmpty, domains.allSatisfy(scope.ignoredAuthors.contains) else {
            return nil
        }
        self = .author(domains.map(\.ascii).joined(separator: ", "))
    }

    /// The line for the log; the first is OpenDMARC's.
    var text: String {
        switch self {
        case .host(let host): "ignoring connection from \(host)"
        case .authenticated(let host): "ignoring authenticated client \(host)"
        case .author(let domains): "ignoring mail from \(domains)"
        }
    }

    /// Whether the message comes from a host of ours, so that its results fields are true.
    ///
    /// A user who has logged in is one who may write as he likes, or somebody who has found his password.
    var isOurs: Bool {
        if case .host = self { true } else { false }
    }
}
