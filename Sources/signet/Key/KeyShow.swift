import ArgumentParser
import Glibc
import MailCrypto

/// `signet key show`: what a key file holds, and the record that publishes it.
struct KeyShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows what key files hold and the records that publish them.")

    @Argument(help: "Files with private keys, in any form that signet-dkim reads.")
    var files: [String]

    func run() throws {
        var failed = false
        for file in files {
            do {
                let key = try PrivateKeyFile.read(file)
                print("\(file): \(key.algorithm.plainName)")
                print("  \(KeyRecordText.line(for: key.publicKey))")
            } catch {
                complain("\(file): \(error)")
                failed = true
            }
        }
        if failed { throw ExitCode(EX_DATAERR) }
    }
}
