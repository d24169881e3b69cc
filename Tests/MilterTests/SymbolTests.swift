import Foundation
import Testing

@testable import TestKit

/// The programs answer no function of the C library in its place.
@Suite struct SymbolTests {
    @Test(arguments: [
        "MilterProbe", "signet-dkim", "signet-dmarc", "signet-scrub", "signet-spf",
    ])
    func aProgramDefinesNoSymbolOfTheCLibrary(name: String) throws {
        let program = ServerProcess.products.appendingPathComponent(name).path
        let output = try Command.require("nm", ["-D", "--defined-only", program])
        // RTLD_NOLOAD: the library that is there.
        let library = unsafe dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD)
        let symbols = output.split(separator: "\n").compactMap { $0.split(separator: " ").last }
        #expect(!symbols.isEmpty)
        let shared = symbols.filter { symbol in
            let name = String(symbol.prefix { $0 != "@" })
            // The linker's own marks, which every object has.
            guard !["__bss_start", "_edata", "_end"].contains(name) else { return false }
            return unsafe dlsym(library, name) != nil
        }
        #expect(shared.isEmpty)
    }
}
