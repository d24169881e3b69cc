import Configuration
import MailAuth
import MailSyntax
import Traffic

/// Why a message is left alone.
enum Skip: Equatable, Sendable {
    /// IgnoreHosts names the client, which may be this host.
    case host(String, isLocal: Bool)
    /// The client has logged in.
    case authenticated(String)
    /// IgnoreMailFrom names all author domains.
    case author(String)

    /// Decides what is known before the message: from the client alone.
    init?(_ client: Client, _ scope: Scope) {
        if scope.ignoredHosts.contains(hostName: client.hostName, address: client.address) {
            self = .host(client.description, isLocal: client.address?.isLoopback ?? false)
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
        case .host(let host, _): "ignoring connection from \(host)"
        case .authenticated(let host): "ignoring authenticated client \(host)"
        case .author(let domains): "ignoring mail from \(domains)"
        }
    }

    /// Whether the message comes from this host, so that its results fields are true: a content filter
    /// gives back what was judged before.
    ///
    /// Another host of IgnoreHosts passes on what strangers wrote; and a user who has logged in is one who may write as he likes, or somebody who has found his password.
    var isOurs: Bool {
        if case .host(_, isLocal: true) = self { true } else { false }
    }
}
