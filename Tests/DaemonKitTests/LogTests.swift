import Foundation
import Glibc
import Synchronization
import TestKit
import Testing
import Threads

@testable import DaemonKit

@Suite struct LogTests {
    @Test(arguments: [
        ("plain text, München ✓", "plain text, München ✓"),
        ("a\nb", "a\\x0ab"), ("a\r\n<3>b", "a\\x0d\\x0a<3>b"),
        ("\u{0}\u{1B}[2J\u{7F}", "\\x00\\x1b[2J\\x7f"),
        ("\u{85}", "\\xc2\\x85"), ("\u{2028}", "\\xe2\\x80\\xa8"),
        ("\u{202E}x", "\\xe2\\x80\\xaex"),
        ("\u{2066}", "\\xe2\\x81\\xa6"), ("\u{FEFF}", "\\xef\\xbb\\xbf"), ("", ""),
    ])
    func `dangerous characters are written out`(_ text: String, _ safe: String) {
        #expect(LogText.safe(text) == safe)
    }

    @Test func `long text is cut between characters`() {
        #expect(LogText.safe("abcdefgh", limit: 8) == "abcdefgh")
        #expect(LogText.safe("abcdefghi", limit: 8) == "abcde...")
        #expect(LogText.safe("ääääää", limit: 8) == "ää...")
        #expect(LogText.safe("\n\n\n", limit: 8) == "\\x0a...")
        #expect(LogText.safe(String(repeating: "x", count: 1_000_000)).utf8.count == 256)
        #expect(LogText.safe([0x61, 0xFF, 0x0A]) == "a\u{FFFD}\\x0a")
    }

    /// Reads what a log writes to a pipe.
    private func lines(_ priorities: Bool = false, _ body: (Log) -> Void) -> [String] {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        body(Log(to: DescriptorSink(descriptor, writesPriorities: priorities)))
        try? pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    @Test func `lines are whole and begin with the queue id`() {
        let text = lines { log in
            log.info("4Xq", "key=value")
            log.warning(nil, "early")
            log.notice("forged\nline: 1")
            log.error("Q", String(repeating: "x", count: 10_000))
        }
        #expect(text.count == 4)
        #expect(text[0] == "4Xq: key=value")
        #expect(text[1] == "NOQUEUE: early")
        #expect(text[2] == "forged\\x0aline: 1")
        #expect(text[3].utf8.count == Log.lineLimit)
    }

    @Test func `priorities are the journal's`() {
        let text = lines(true) { log in
            log.error("a")
            log.debug("never")
            log.level = .debug
            log.debug("b")
        }
        #expect(text == ["<3>a", "<7>b"])
    }

    @Test func `a line that is not written is not made`() {
        let made = Mutex(0)
        func message() -> String {
            made.withLock { $0 += 1 }
            return "x"
        }
        _ = lines { log in
            log.debug(message())
            log.debug("Q", message())
        }
        #expect(made.withLock { $0 } == 0)
    }

    @Test func `a reader that does not read stops nobody`() throws {
        let pipe = Pipe()
        let log = Log(
            to: DescriptorSink(
                pipe.fileHandleForWriting.fileDescriptor, writesPriorities: false))
        // More than the pipe holds: a log that waited would never come to the next line.
        for _ in 0..<500 { log.info(String(repeating: "y", count: 1000)) }
        // What was lost is said as soon as somebody reads.
        _ = pipe.fileHandleForReading.availableData
        log.info("again")
        try pipe.fileHandleForWriting.close()
        let rest = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(rest.contains(" log lines were lost\nagain\n"))
    }

    @Test func `a full stream socket stops nobody and splits no line`() throws {
        var ends: [Int32] = [0, 0]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { ends.forEach { close($0) } }
        let log = Log(to: DescriptorSink(ends[0], writesPriorities: true))
        for _ in 0..<500 { log.info(String(repeating: "z", count: 3000)) }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        func drain() {
            while true {
                let count = unsafe recv(
                    ends[1], &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { return }
                received += buffer.prefix(count)
            }
        }
        drain()
        log.info("end")
        drain()
        let lines = String(decoding: received, as: UTF8.self).split(separator: "\n")
        #expect(lines.last == "<6>end")
        #expect(lines.allSatisfy { $0.hasPrefix("<6>z") || $0 == "<6>end" || $0.hasPrefix("<4>") })
    }

    @Test func `many threads write whole lines`() {
        let pipe = Pipe()
        let log = Log(
            to: DescriptorSink(pipe.fileHandleForWriting.fileDescriptor, writesPriorities: false))
        let done = Mutex(0)
        for thread in 0..<4 {
            startThread {
                for _ in 0..<40 { log.info("T\(thread)", String(repeating: "w", count: 100)) }
                done.withLock { $0 += 1 }
            }
        }
        #expect(eventually { done.withLock { $0 } == 4 })
        try? pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 160)
        #expect(lines.allSatisfy { $0.utf8.count == 104 })
    }

    @Test func `syslog gets datagrams in its form`() throws {
        let folder = try Folder()
        let path = folder.file("log")
        var service: BoundSocket? = try BoundSocket(path, stream: false)
        let pipe = Pipe()
        let fallback = DescriptorSink(
            pipe.fileHandleForWriting.fileDescriptor, writesPriorities: false)
        let log = Log(
            to: SyslogSink(path: path, facility: "mail", name: "signet-x", fallback: fallback))
        log.info("4Xq", "hello")
        let form = try Regex(
            "^<22>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} signet-x\\[[0-9]+\\]: 4Xq: hello$")
        #expect(try form.wholeMatch(in: service?.receive() ?? "") != nil)
        // Without a service the lines go elsewhere; a new one is found again.
        service = nil
        log.info("lonely")
        try FileManager.default.removeItem(atPath: path)
        service = try BoundSocket(path, stream: false)
        log.error("back")
        #expect(service?.receive().hasPrefix("<19>") == true)
        try pipe.fileHandleForWriting.close()
        let rest = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(rest == "lonely\n")
    }

    @Test func `a syslog that does not read stops nobody`() throws {
        let folder = try Folder()
        let service = try BoundSocket(folder.file("log"), stream: false)
        let log = Log(
            to: SyslogSink(
                path: folder.file("log"), facility: "local0", name: "x",
                fallback: DescriptorSink(-1, writesPriorities: false)))
        // More than the socket holds: a log that waited would never come to the next line.
        for _ in 0..<500 { log.info("z") }
        #expect(service.receive().hasPrefix("<134>"))
    }
}
