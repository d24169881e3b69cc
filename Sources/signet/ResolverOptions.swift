import ArgumentParser
import DaemonKit
import Foundation
import MailDNS
import MailSyntax
import UnboundDNS

/// Where a command's DNS answers come from: a zone file, a server, or the system's resolver.
struct ResolverOptions: ParsableArguments {
    @Option(help: "Answer from this RFC 1035 master file; a name absent from it does not exist.")
    var zone: String?

    @Option(help: "Ask these servers: ADDRESS or ADDRESS@PORT, with commas.")
    var nameserver: String?

    /// Whether the command line says where answers come from.
    var isGiven: Bool { zone != nil || nameserver != nil }

    func validate() throws {
        guard zone == nil || nameserver == nil else {
            throw ValidationError("--zone and --nameserver exclude each other")
        }
    }

    /// How long the answers to one command may take together, in seconds.
    static let timeout = 20.0

    /// The system's resolver.
    static func system() throws -> any DNSResolver { try asking([]) }

    private static func asking(_ servers: [Nameserver]) throws -> any DNSResolver {
        do {
            return try UnboundResolver(UnboundResolver.Options(nameservers: servers))
        } catch {
            throw CommandFailure(.unavailable, "\(error)")
        }
    }

    /// Makes the resolver.
    func resolver() throws -> any DNSResolver {
        if let zone {
            guard let data = FileManager.default.contents(atPath: zone),
                let text = String(bytes: data, encoding: .utf8)
            else { throw CommandFailure(.noInput, "\(zone) cannot be read") }
            do {
                return try ZoneResolver(parsing: text)
            } catch {
                throw CommandFailure(.dataError, "\(zone): \(error)")
            }
        }
        var servers: [Nameserver] = []
        if let nameserver {
            do throws(NameserverError) {
                servers = try Nameserver.list(nameserver)
            } catch {
                throw ValidationError("--nameserver: \(error)")
            }
        }
        return try Self.asking(servers)
    }
}
