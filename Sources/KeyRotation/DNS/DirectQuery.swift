internal import Glibc
internal import MailDNS
internal import MailSyntax
internal import Threads

/// Asks one server one question, over UDP and, where the answer does not fit, over TCP.
struct DirectQuery {
    /// Why there is no answer.
    enum Failure: Error, Hashable {
        /// This host has no way to addresses of the family.
        case noRoute
        /// The reason.
        case silent(String)
    }

    let server: Nameserver
    /// How long all of it may take, in seconds.
    let seconds: Double

    /// Asks.
    func ask(_ name: DomainName, _ type: UInt16) throws(Failure) -> DirectAnswer {
        let deadline = MonotonicTime.now() + seconds
        let id = UInt16.random(in: 0...UInt16.max)
        let question = DirectAnswer.question(name, type, id: id)
        var answer: DirectAnswer?
        let datagrams = try DirectSocket(server, isStream: false)
        // The question again after a third and after two thirds of the time: a datagram may be lost.
        for attempt in 1...3 where answer == nil {
            guard datagrams.send(question) else { throw .silent("refuses the question") }
            let limit = min(deadline, MonotonicTime.now() + seconds / 3)
            while answer == nil, let octets = datagrams.receive(by: attempt == 3 ? deadline : limit)
            {
                answer = DirectAnswer(octets, to: name, type, id: id)
            }
        }
        if let answer, !answer.isTruncated { return answer }
        if answer == nil, MonotonicTime.now() >= deadline { throw .silent("gives no answer") }
        let stream = try DirectSocket(server, isStream: true)
        let length = UInt16(truncatingIfNeeded: question.count)
        // RFC 1035, section 4.2.2: a length of two octets goes before.
        guard stream.send([UInt8(length >> 8), UInt8(length & 0xFF)] + question),
            let prefix = stream.receive(exactly: 2, by: deadline),
            let octets = stream.receive(
                exactly: Int(prefix[0]) << 8 | Int(prefix[1]), by: deadline),
            let whole = DirectAnswer(octets, to: name, type, id: id), !whole.isTruncated
        else { throw .silent("gives no answer over TCP") }
        return whole
    }
}

/// A socket that is connected to one server and closes itself.
private struct DirectSocket: ~Copyable {
    private let descriptor: Int32

    init(_ server: Nameserver, isStream: Bool) throws(DirectQuery.Failure) {
        let kind = isStream ? SOCK_STREAM : SOCK_DGRAM
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        unsafe hints.ai_socktype = Int32(kind.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let port = String(server.port)
        guard unsafe getaddrinfo(server.address.description, port, &hints, &list) == 0,
            let first = unsafe list
        else { throw .silent("has no usable address") }
        defer { unsafe freeaddrinfo(list) }
        let opened = unsafe socket(
            first.pointee.ai_family, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard opened >= 0 else { throw .noRoute }
        // A stream's connection and all sends end in a few seconds too.
        var limit = timeval(tv_sec: 3, tv_usec: 0)
        unsafe setsockopt(
            opened, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard unsafe connect(opened, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0
        else {
            let code = errno
            close(opened)
            if code == ENETUNREACH || code == EADDRNOTAVAIL || code == EAFNOSUPPORT {
                throw .noRoute
            }
            throw .silent("cannot be reached: \(unsafe String(cString: strerror(code)))")
        }
        descriptor = opened
    }

    deinit { close(descriptor) }

    func send(_ octets: [UInt8]) -> Bool {
        for _ in 0..<2 {
            let count = unsafe Glibc.send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL))
            if count == octets.count { return true }
            // What a datagram before has met is told here once.
            guard errno == ECONNREFUSED else { return false }
        }
        return false
    }

    /// The next datagram; nil where none comes in time.
    func receive(by deadline: MonotonicTime) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        guard isReadable(by: deadline) else { return nil }
        let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    /// As many octets as wanted; nil where they do not come in time.
    func receive(exactly count: Int, by deadline: MonotonicTime) -> [UInt8]? {
        var octets: [UInt8] = []
        while octets.count < count {
            guard isReadable(by: deadline) else { return nil }
            var chunk = [UInt8](repeating: 0, count: count - octets.count)
            let got = unsafe recv(descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            guard got > 0 else { return nil }
            octets += chunk.prefix(got)
        }
        return octets
    }

    private func isReadable(by deadline: MonotonicTime) -> Bool {
        let left = deadline.seconds(since: .now())
        guard left > 0 else { return false }
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&polled, 1, Int32(min(left * 1000, 60_000)) + 1) > 0
    }
}
