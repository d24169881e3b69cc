import ArgumentParser
import DaemonKit
import Doctor
import Foundation
import Glibc
import MailAuth
import MailCrypto
import MailSyntax

/// `signet sign`: a filter that puts signatures on top of the message on standard input.
struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Signs the message on standard input.",
        discussion: """
            Signs with the key that is given, or with those that signet-dkim would use for the domain of the From field, and \
            writes the message with the signatures above it; everything else stays as it is, line ends included. Other \
            directives of dkim.conf do not count. Exit status 65 if the message cannot be signed, 66 if a key's file or the \
            directory cannot be read, 74 if standard output cannot be written, 78 if no key signs for its domain.
            """)

    /// A hundred years, in seconds.
    private static let longestLifetime: Int64 = 3_155_760_000

    @Argument(
        help: ArgumentHelp(
            "One key: SELECTOR DOMAIN FILE, as dkimsign(1) takes it.", valueName: "key"))
    var key: [String] = []

    @Option(help: "Canonicalization of header and body, c=: relaxed/relaxed, simple/simple …")
    var canonicalization = "relaxed/relaxed"

    @Option(help: "The identity of the signer, i=: user@domain or @domain.")
    var identity: String?

    @Option(help: "How long the signature is valid, in seconds.")
    var lifetime: Int64?

    @Option(help: "Take the keys from the configuration of the host in this directory.")
    var root = "/"

    func validate() throws {
        guard key.isEmpty || key.count == 3 else {
            throw ValidationError("name one key as SELECTOR DOMAIN FILE, or none")
        }
        guard CanonicalizationPair(canonicalization.utf8) != nil else {
            throw ValidationError("--canonicalization \(canonicalization): relaxed or simple")
        }
        if let lifetime, !(1...Self.longestLifetime).contains(lifetime) {
            throw ValidationError("--lifetime is from 1 to \(Self.longestLifetime) seconds")
        }
    }

    func run() throws {
        let contents: [UInt8]
        let message: MessageFile
        do {
            contents = try MessageInput.read("-")
            message = try MessageFile(contents: contents)
        } catch { throw CommandFailure(.dataError, "standard input \(error)") }
        // From is always signed (RFC 6376, section 5.4).
        guard message.header.count(named: .from) > 0 else {
            throw CommandFailure(.dataError, "the message has no From field")
        }
        var recipe = SigningRecipe()
        if let pair = CanonicalizationPair(canonicalization.utf8) {
            recipe.canonicalization = pair
        }
        recipe.lifetime = lifetime
        let keys = try key.isEmpty ? configured(for: message.header) : [given()]
        var signer = DKIMSigner(
            header: message.header, keys: keys, recipe: recipe,
            time: Int64(Date().timeIntervalSince1970))
        signer.update(message.body.span)
        let fields: [SignedField]
        do {
            fields = try signer.finish()
        } catch { throw CommandFailure(.software, "\(error)") }
        let output = SignedMessage(contents: contents, fields: fields).octets
        try StandardOutput.pass(output)
    }

    // MARK: Keys

    private func given() throws -> SigningKey {
        let domain = try DomainArgument.parse(key[1])
        try DomainArgument.checkSelector(key[0], of: domain)
        return try signingKey(domain, DomainName(key[0]), key[2])
    }

    /// The keys that the signer's configuration has for the author's domain.
    private func configured(for header: HeaderSection) throws -> [SigningKey] {
        let author = AuthorField(of: header)
        guard let domain = author.mailboxes.first?.domain else {
            throw CommandFailure(.dataError, "the message has no From field with an address")
        }
        guard unsafe access(root, R_OK | X_OK) == 0 else {
            throw CommandFailure(.noInput, "\(root) is no directory that can be read")
        }
        let tree = HostFiles(root: root)
        let keys = SignersView(tree).keys(for: domain)
        guard !keys.isEmpty else {
            throw CommandFailure(
                .configuration, "no key signs for \(domain.ascii): name one, or see signet setup")
        }
        return try keys.map { try signingKey($0.domain, $0.selector, tree.place($0.path)) }
    }

    private func signingKey(
        _ domain: DomainName, _ selector: DomainName, _ path: String
    ) throws -> SigningKey {
        if let identity { try check(identity, of: domain) }
        do {
            return SigningKey(
                domain: domain, selector: selector, identity: identity,
                key: try PrivateKeyFile.read(path))
        } catch { throw CommandFailure(.noInput, "\(path): \(error)") }
    }
}

extension SignCommand {
    /// RFC 6376, section 3.5: i= is "[ Local-part ] "@" domain-name", and the domain is that of d= or below it.
    private func check(_ identity: String, of domain: DomainName) throws {
        guard let at = identity.lastIndex(of: "@"),
            let host = try? DomainName(identity[identity.index(after: at)...]),
            host.isEqualOrSubdomain(of: domain),
            identity.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ";") })
        else {
            throw CommandFailure(
                .usage,
                "--identity: write user@domain or @domain, of \(domain.ascii) or a name below it")
        }
    }
}

/// A message with signatures above it.
struct SignedMessage {
    let contents: [UInt8]
    let fields: [SignedField]

    private static let mailboxLine = Array("From ".utf8)

    /// The octets: the signatures have the line ends of the first line, and stand behind the line that mbox begins with.
    var octets: [UInt8] {
        let end = contents.firstIndex(of: UInt8(ascii: "\n")) ?? contents.endIndex
        let isCRLF = end > 0 && end < contents.endIndex && contents[end - 1] == 0x0D
        var top = contents.startIndex
        if contents.starts(with: Self.mailboxLine), end < contents.endIndex { top = end + 1 }
        var result = Array(contents[..<top])
        for field in fields {
            result += Array("\(SignedField.name.text):".utf8)
            for octet in field.value + [UInt8(ascii: "\n")] {
                if octet == UInt8(ascii: "\n"), isCRLF { result.append(0x0D) }
                result.append(octet)
            }
        }
        return result + contents[top...]
    }
}
