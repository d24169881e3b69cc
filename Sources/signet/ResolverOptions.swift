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
        do {
            let servers = try nameserver.map { try Nameserver.list($0) } ?? []
            return try UnboundResolver(UnboundResolver.Options(nameservers: servers))
        } catch let error as NameserverError {
            throw ValidationError("--nameserver: \(error)")
        } catch {
            throw CommandFailure(.unavailable, "\(error)")
        }
    }
}
