package import MailDNS
internal import MailSyntax

/// What mends a fault: a value, so that it can be shown to a person and carried out by a program.
package enum Mend: Hashable, Sendable {
    /// Publish a record in the place of others; none for a further one.
    case publish(ZoneRecord, insteadOf: [ZoneRecord])
    /// Take records out of the DNS.
    case withdraw([ZoneRecord])
    /// Set a parameter in Postfix's main.cf, once; nil removes it.
    case parameter(String, String?)
    /// Put a line into a file in the place of another; nil for an empty place.
    case line(String?, file: String, insteadOf: String?)
    /// Give a file a mode.
    case mode(String, octal: String)
    /// Give a file an owner and a group.
    case owner(String, String)
    /// Run a command.
    case command(String)
    /// Do what no one line does.
    case words(String)
}

extension Mend: CustomStringConvertible {
    /// The line that mends it.
    package var description: String {
        switch self {
        case .publish(let record, let others):
            let place = others.count > 1 ? " (in the place of all \(others.count) there)" : ""
            return "publish \(record.masterText)\(place)"
        case .withdraw(let records):
            return "remove \(records.map(\.masterText).joined(separator: " and "))"
        case .parameter(let name, let value?): return "in main.cf write once: \(name) = \(value)"
        case .parameter(let name, nil): return "postconf -X \(name)"
        case .line(let line?, let file, nil): return "add to \(file): \(line)"
        case .line(let line?, let file, let old?):
            return "in \(file) write \"\(line)\" for \"\(old)\""
        case .line(nil, "/etc/aliases", let old?):
            return "remove from /etc/aliases, and run newaliases: \(old)"
        case .line(nil, let file, let old?): return "remove from \(file): \(old)"
        case .line(nil, let file, nil): return "look at \(file)"
        case .mode(let path, let octal): return "chmod \(octal) \(path)"
        case .owner(let path, let owner): return "chown \(owner) \(path)"
        case .command(let command): return command
        case .words(let text): return text
        }
    }
}

extension ZoneRecord {
    /// The record as a line of a zone file, without a TTL.
    package var masterText: String {
        "\(owner.ascii). IN \(type.mnemonic) \(data.masterText)"
    }
}

extension DNSRecord {
    fileprivate var masterText: String {
        switch self {
        case .address(let address): address.description
        case .mx(let preference, let exchange): "\(preference) \(exchange.ascii)."
        case .srv(let priority, let weight, let port, let target):
            "\(priority) \(weight) \(port) \(target.ascii)."
        case .name(let name): "\(name.ascii)."
        case .text(let strings): strings.map(Self.quoted).joined(separator: " ")
        }
    }

    /// A character string in quotes (RFC 1035, section 5.1).
    private static func quoted(_ string: [UInt8]) -> String {
        let inner = string.map { octet in
            switch octet {
            case 0x22, 0x5C: "\\" + String(UnicodeScalar(octet))
            case 0x20...0x7E: String(UnicodeScalar(octet))
            default:
                "\\" + (octet < 100 ? octet < 10 ? "00" : "0" : "") + String(octet)
            }
        }
        return "\"\(inner.joined())\""
    }
}
