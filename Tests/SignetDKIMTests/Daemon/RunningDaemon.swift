import Foundation
import Glibc
import MailDNS
import TestKit
import Testing

/// A signet-dkim in a process of its own, with a DNS server of ours to ask.
final class RunningDaemon {
    let dns: ScriptedDNSServer
    let process: DaemonProcess
    /// Its configuration, keys and socket.
    let directory: TemporaryDirectory
    private let frame: String

    /// Starts it; the client of the tests' envelopes is ours where `text` says so.
    init(
        _ text: String, zone: ZoneResolver? = nil, directory: TemporaryDirectory? = nil
    ) throws {
        dns = try ScriptedDNSServer(zone ?? Keys.shared.get().zone())
        let directory = try directory ?? TemporaryDirectory("signet-dkim")
        self.directory = directory
        frame = """
            Socket unix:\(directory.file("s"))
            Nameservers \(dns.nameserver)
            DNSTimeout 2

            """
        process = try DaemonProcess(
            "signet-dkim", configuration: frame + text, directory: directory)
    }

    deinit {
        dns.stop()
    }

    var mta: FakeMTA {
        var mta = FakeMTA(.unix(directory.file("s")))
        // Other tests may keep the machine busy.
        mta.timeout = 60
        return mta
    }

    /// Changes the configuration, asks for a reload and waits for a new line that has these words.
    func reload(_ text: String, until words: String) throws {
        try directory.write(frame + text, to: "signet-dkim.conf")
        let before = log(words)
        process.send(SIGHUP)
        _ = try wait(for: "\(words) in \(process.log)") { log(words) > before ? true : nil }
    }

    /// How many lines of the log have these words.
    func log(_ words: String) -> Int { process.log.count { $0.contains(words) } }

    /// The most memory that the process has had resident, in bytes (proc(5), VmHWM).
    var peakMemory: Int { get throws { try statusValue("VmHWM") * 1024 } }

    /// Lets `peakMemory` begin anew.
    func forgetPeakMemory() throws {
        try "5".write(toFile: "/proc/\(process.pid)/clear_refs", atomically: false, encoding: .utf8)
    }

    /// How many files and sockets the process has open.
    var openFiles: Int {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count
        }
    }

    /// Waits until no more files are open than were at some time before.
    func waitForOpenFiles(_ count: Int) throws {
        _ = try wait(for: "open files to be \(count) again") { try openFiles <= count ? true : nil }
    }

    private func statusValue(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
        return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1]))
    }
}

extension Outcome {
    /// The message's results fields, each on one line.
    var results: [String] {
        message.values("Authentication-Results").map {
            $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    /// How many signatures the message has.
    var signatureCount: Int { message.values("DKIM-Signature").count }

    /// The code and enhanced code of a refusal.
    var refusal: String? {
        guard case .replied(let text) = decision else { return nil }
        return text.split(separator: " ").prefix(2).joined(separator: " ")
    }
}
