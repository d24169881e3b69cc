internal import CMilter
internal import Glibc
internal import Synchronization
internal import Threads

/// Takes a connection's commands from the kernel many at a time.
///
/// libmilter goes to the kernel five times for each command: to see whether there is one, and twice to await and read each half of
/// it. A message has dozens, which Postfix writes in a few pieces, and this was half of what a filter cost. libmilter has no
/// buffer and no option for one, so the calls that it makes are answered here, as its `writev` is (`HeldWrites`): what has arrived
/// is received at once, and handed out as it is asked for.
///
/// Only connections accepted on the listener are read so; all other descriptors of the process keep the system's calls. libmilter
/// gives a connection back to its poller when there is nothing to read of it, here or in the kernel: one that waits holds nothing
/// here. Were the symbols not ours, commands would be read as they always have been.
///
/// Trust: the octets are the MTA's, and are not looked at.
enum ReadAhead {
    /// The most that is received ahead of one connection, in octets: more than what comes in one piece, except of a body.
    static let capacity = 8 * 1024

    private static let listener = Atomic<Int32>(-1)
    private static let connections = Connections()
    /// Buffers that are not in use, so that the heap is not broken up by taking and freeing them.
    private static let spare = Locked<[Received]>([])
    /// The most of these that are kept.
    private static let spareLimit = 16

    /// Whether libmilter finds our calls.
    static var isInPlace: Bool {
        ["accept", "poll", "__poll_chk", "read", "__read_chk", "close"].allSatisfy(isAnsweredHere)
    }

    /// Reads ahead what is accepted on that listener from now on.
    static func begin(on listener: Int32) {
        guard isInPlace else { return }
        self.listener.store(listener, ordering: .releasing)
    }

    /// Reads a connection ahead until it is closed.
    static func begin(with connection: Int32) {
        connections.setEmpty(connection)
    }

    // MARK: What the calls do

    static func accept(
        _ listener: Int32, _ address: UnsafeMutablePointer<sockaddr>?,
        _ length: UnsafeMutablePointer<socklen_t>?
    ) -> Int32 {
        let descriptor = unsafe milter_system_accept(listener, address, length)
        if descriptor >= 0, listener == self.listener.load(ordering: .acquiring) {
            begin(with: descriptor)
        }
        return descriptor
    }

    static func poll(_ entries: UnsafeMutableBufferPointer<pollfd>, timeout: Int32) -> Int32 {
        let readable = Int16(POLLIN)
        var ready: Int32 = 0
        for index in entries.indices {
            let isReady =
                unsafe entries[index].events & readable != 0
                && connections.isReadable(entries[index].fd)
            unsafe entries[index].revents = isReady ? readable : 0
            if isReady { ready += 1 }
        }
        if ready > 0 { return ready }
        let result = unsafe milter_system_poll(
            entries.baseAddress, UInt(entries.count), timeout)
        if result == 1, entries.count == 1, unsafe entries[0].revents == readable {
            unsafe connections.receive(from: entries[0].fd)
        }
        return result
    }

    static func read(_ descriptor: Int32, _ space: UnsafeMutableRawBufferPointer) -> Int {
        guard let received = connections.received(of: descriptor) else {
            return unsafe milter_system_read(descriptor, space.baseAddress, space.count)
        }
        let count = unsafe received.take(into: space)
        if received.isEmpty { connections.setEmpty(descriptor) }
        guard space.count - count >= capacity else { return count }
        // A body's piece is large: the rest of it need not pass through here.
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: space[count...])
        let more = unsafe recv(descriptor, rest.baseAddress, rest.count, Int32(MSG_DONTWAIT))
        return count + max(0, more)
    }

    static func close(_ descriptor: Int32) -> Int32 {
        connections.remove(descriptor)
        return milter_system_close(descriptor)
    }

    // MARK: What is kept

    /// Which descriptors are connections, and what has been received of each that was not asked for yet.
    ///
    /// libmilter lets one thread at a time have a connection, and hands it over under a lock. The words are atomic because its poller
    /// may look at the number of a connection that has just been closed, and accepted anew.
    @safe
    private struct Connections: Sendable {
        /// No connection.
        private static let none: UInt = 0
        /// A connection of which nothing is kept; another value is a reference to what is.
        private static let empty: UInt = 1
        /// Connections with a higher number are not read ahead.
        private static let limit: Int32 = 16 * 1024

        // Lives as long as the process. The pages that are used count only.
        private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt>>?

        init() {
            unsafe words = calloc(Int(Self.limit), MemoryLayout<Atomic<UInt>>.stride)?
                .assumingMemoryBound(to: Atomic<UInt>.self)
        }

        private func load(_ descriptor: Int32) -> UInt {
            guard descriptor >= 0, descriptor < Self.limit, let words = unsafe words else {
                return Self.none
            }
            return unsafe words[Int(descriptor)].load(ordering: .acquiring)
        }

        /// Puts a word in the place of another, whose buffer becomes a spare one.
        private func store(_ word: UInt, for descriptor: Int32) {
            guard descriptor >= 0, descriptor < Self.limit, let words = unsafe words else { return }
            let old = unsafe words[Int(descriptor)].exchange(word, ordering: .acquiringAndReleasing)
            guard let received = unsafe Self.reference(old)?.takeRetainedValue() else { return }
            recycle(received)
        }

        private func recycle(_ received: Received) {
            spare.withLock { if $0.count < spareLimit { $0.append(received) } }
        }

        private static func reference(_ word: UInt) -> Unmanaged<Received>? {
            guard word > empty,
                let pointer = unsafe UnsafeRawPointer(bitPattern: word)
            else { return nil }
            return unsafe Unmanaged.fromOpaque(pointer)
        }

        /// Notes that a descriptor is a connection of which nothing is kept.
        func setEmpty(_ descriptor: Int32) { store(Self.empty, for: descriptor) }

        func remove(_ descriptor: Int32) {
            if load(descriptor) != Self.none { store(Self.none, for: descriptor) }
        }

        /// Whether something is kept of a connection; anyone may ask.
        func isReadable(_ descriptor: Int32) -> Bool {
            load(descriptor) > Self.empty
        }

        /// What is kept of a connection, for the thread that has it; nil if that is nothing, or if the descriptor is none.
        func received(of descriptor: Int32) -> Received? {
            unsafe Self.reference(load(descriptor))?.takeUnretainedValue()
        }

        /// Receives what has arrived on a connection of which nothing is kept.
        ///
        /// An end stays for who reads next; so does that of a connection which an error has ended.
        func receive(from descriptor: Int32) {
            guard load(descriptor) == Self.empty else { return }
            let received = spare.withLock { $0.popLast() } ?? Received()
            guard received.receive(from: descriptor) else { return recycle(received) }
            store(
                UInt(bitPattern: unsafe Unmanaged.passRetained(received).toOpaque()),
                for: descriptor)
        }
    }

    /// What has been received and not been asked for; the thread that has the connection has this too.
    private final class Received: @unchecked Sendable {
        private var octets = [UInt8](repeating: 0, count: capacity)
        private var rest = 0..<0

        var isEmpty: Bool { rest.isEmpty }

        /// Receives what has arrived; false if nothing has.
        func receive(from descriptor: Int32) -> Bool {
            let count = unsafe recv(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT))
            rest = 0..<max(0, count)
            return count > 0
        }

        /// Moves what fits.
        func take(into space: UnsafeMutableRawBufferPointer) -> Int {
            let taken = rest.prefix(space.count)
            unsafe space.copyBytes(from: octets[taken])
            rest = taken.upperBound..<rest.upperBound
            return taken.count
        }
    }
}
