import ArgumentParser
import DaemonKit
import Glibc
import MailSyntax

/// Domains and selectors as the command line gives them.
enum DomainArgument {
    /// Reads a domain, in A-label or U-label form.
    static func parse(_ text: String) throws -> DomainName {
        guard let domain = try? DomainName(text), domain.isHostName, domain.labelCount > 0 else {
            throw ValidationError("\"\(text)\" is not a domain")
        }
        return domain
    }

    /// Checks that a selector is a sequence of labels (RFC 6376, section 3.1) that leaves room for the domain.
    static func checkSelector(_ selector: String, of domain: DomainName) throws {
        guard let name = try? DomainName(selector), name.isHostName, name.labelCount > 0,
            (try? domain.prepending("\(selector)._domainkey")) != nil
        else { throw ValidationError("\"\(selector)\" is not a selector") }
    }
}

/// Writes a line to standard error.
func complain(_ text: String) {
    let line = Array("signet: \(LogText.safeLines(text))\n".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
