import Configuration
import DaemonKit
import KeyRotation
import ReportStore

/// By which several hosts agree which of them rotates: a lease in the database of their report store.
///
/// It is taken anew before every step, so that a host that another has taken over from stops in the middle.
final class RotationLease: RotationLeader {
    private let lease: PostgreSQLLease
    private var takesOver: Bool

    /// Makes the lease of a configuration; nil where this host is alone.
    init?(_ configuration: RotationConfiguration, takesOver: Bool) {
        guard let address = configuration.leaseStore else { return nil }
        lease = PostgreSQLLease(
            address: address, name: "key rotation",
            holder: "\(configuration.hostName ?? Self.hostName) (\(Self.machine))",
            term: configuration.leaseSeconds)
        self.takesOver = takesOver
    }

    /// Reports what is wrong with the address.
    static func check(_ configuration: RotationConfiguration, _ reader: ConfigurationReader) {
        guard let address = configuration.leaseStore else { return }
        guard case .postgreSQL? = StoreLocation(address) else {
            reader.report(
                .error, "ReportStore", "\"\(address)\" is neither a path nor an address",
                suggestion: "write postgresql://USER@HOST/DATABASE, or none")
            return
        }
        if StoreLocation(address)?.hasPassword == true {
            reader.report(
                .error, "ReportStore", "everybody may read the password in the address",
                suggestion: "put it into a file that only root may read, ?passfile=FILE")
        }
    }

    func confirm() throws(RotationFailure) {
        switch try take() {
        case .ours: return
        case .theirs(let host, let seconds):
            throw RotationFailure(Self.words(host, seconds))
        }
    }

    /// Says which other host rotates; nil where it is this one.
    func other() throws -> String? {
        do throws(RotationFailure) {
            guard case .theirs(let host, let seconds) = try take() else { return nil }
            return Self.words(host, seconds)
        } catch {
            throw CommandFailure(.tempFail, error.description)
        }
    }

    /// Ends the command unless this host rotates.
    func require() throws {
        if let other = try other() {
            throw CommandFailure(.tempFail, "\(other); use it, or --take-over")
        }
    }

    private func take() throws(RotationFailure) -> PostgreSQLLease.Holding {
        do throws(SinkError) {
            let holding = try lease.take(takingOver: takesOver)
            // Once: whoever takes over later is right.
            takesOver = false
            return holding
        } catch {
            throw RotationFailure("no host may rotate while the lease cannot be read: \(error)")
        }
    }

    private static func words(_ host: String, _ seconds: Int64) -> String {
        "\(LogText.safe(host, limit: 200)) rotates the keys, and has the lease for "
            + FileAge.words(seconds)
    }

    private static var hostName: String {
        let octets = (try? FileContents.read("/proc/sys/kernel/hostname", limit: 256)) ?? []
        return String(decoding: octets.prefix { $0 > 0x20 }, as: UTF8.self)
    }

    /// What tells two machines of one name apart (machine-id(5)).
    private static var machine: String {
        let octets = (try? FileContents.read("/etc/machine-id", limit: 64)) ?? []
        return String(decoding: octets.prefix(8), as: UTF8.self)
    }
}
