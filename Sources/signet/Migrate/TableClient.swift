import Foundation
import Glibc
import Migration

/// Reads tables of databases and directories by the programs that their packages bring.
///
/// A password is in the program's environment or comes from its standard input: never among its arguments, which everybody on the
/// host can see, in no file that could be left behind, and in no message.
enum TableClient {
    /// How long a program may take, in seconds.
    private static let patience = 60.0
    /// How much of what it prints is read, in octets.
    private static let limit = 64 << 20

    /// The rows of a table.
    static func rows(of table: RemoteTable) throws(RemoteTable.Fault) -> [[String]] {
        let name = table.client.rawValue
        guard let program = path(of: name) else {
            throw RemoteTable.Fault(
                "\(name) is not here: apt install \(table.client.package)"
            )
        }
        var environment: [String: String] = [:]
        var arguments = table.arguments
        var input: [UInt8]?
        switch table.client {
        case .psql:
            environment["PGPASSWORD"] = table.password
            environment["PGOPTIONS"] = "-c default_transaction_read_only=on"
        case .mysql: environment["MYSQL_PWD"] = table.password
        case .ldapsearch:
            if let password = table.password {
                // ldapsearch(1), -y: all of it, so that a line feed at its end would be part of it.
                arguments.insert(contentsOf: ["-y", "/dev/stdin"], at: 0)
                input = Array(password.utf8)
            }
        }
        let run = HostProgram.run(
            [program] + arguments, seconds: patience, keepsErrors: false,
            environment: environment, input: input, limit: limit + 1)
        guard let run else {
            throw RemoteTable.Fault("\(name) cannot be run, or does not end")
        }
        guard run.status == 0 else {
            throw RemoteTable.Fault(
                "\(name) ends with status \(run.status): is the server there, and may it be read?")
        }
        guard run.text.utf8.count <= limit else { throw RemoteTable.Fault("it is too large") }
        return try table.rows(of: run.text)
    }

    private static func path(of program: String) -> String? {
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return search.split(separator: ":").map { "\($0)/\(program)" }.first {
            unsafe access($0, X_OK) == 0
        }
    }
}
