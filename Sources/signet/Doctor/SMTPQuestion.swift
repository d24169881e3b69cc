import Doctor
import Glibc
import Threads

/// Asks Postfix on this host whether it takes mail for a recipient, and sends none.
enum SMTPQuestion {
    /// How long all of it may take, in seconds.
    private static let patience = 10
    /// The longest answer that is read, in octets.
    private static let longest = 8_192

    /// The answer to RCPT of mail without a sender, as reports and bounces are; nil where nobody listens.
    static func answer(toRecipient address: String) -> SMTPAnswer? {
        // What is not plain ASCII, or has room for a command of its own, is not asked.
        guard address.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x3E && $0 != 0x3C })
        else { return SMTPAnswer(code: 400, text: "is not asked about such an address") }
        let deadline = MonotonicTime.now() + Double(patience)
        guard let descriptor = connected() else { return nil }
        defer { close(descriptor) }
        guard let greeting = read(descriptor, deadline), greeting.code == 220 else { return nil }
        defer {
            _ = write("QUIT\r\n", to: descriptor)
            _ = read(descriptor, deadline)
        }
        for command in ["EHLO [127.0.0.1]", "MAIL FROM:<>"] {
            guard write("\(command)\r\n", to: descriptor), let answer = read(descriptor, deadline)
            else { return nil }
            // That says nothing about the recipient, and so is no answer for good.
            guard answer.code < 300 else {
                return SMTPAnswer(code: 400, text: "\(answer.text) (\(answer.code) to \(command))")
            }
        }
        guard write("RCPT TO:<\(address)>\r\n", to: descriptor),
            let answer = read(descriptor, deadline)
        else { return nil }
        return SMTPAnswer(code: answer.code, text: answer.text)
    }

    private static func connected() -> Int32? {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = unsafe setsockopt(
                descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(25).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        let octets = Array(text.utf8)
        return unsafe send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count
    }

    /// Reads an answer of one or several lines.
    private static func read(
        _ descriptor: Int32, _ deadline: MonotonicTime
    ) -> (code: Int, text: String)? {
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 512)
        while received.count < longest, MonotonicTime.now() < deadline {
            let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            received += chunk.prefix(count)
            guard received.last == 0x0A else { continue }
            let lines = String(decoding: received, as: UTF8.self).split(separator: "\r\n")
            // The last line has a blank behind the code, those before it a hyphen.
            guard let line = lines.last, line.dropFirst(3).first != "-" else { continue }
            guard let code = Int(line.prefix(3)) else { return nil }
            return (code, String(line.dropFirst(4)))
        }
        return nil
    }
}
