internal import CMilter
internal import Glibc

/// Makes a message's edits and the verdict leave in one piece.
///
/// libmilter writes each edit at once, and the verdict when the callback has returned. A daemon that dies in between leaves the MTA
/// with some of the edits and no verdict, and under `milter_default_action = accept` Postfix then delivers the message half-edited:
/// measured in one of fifteen kills under load. So the writes of the thread that ends a message are held until the verdict comes,
/// and go with it in one write(2), of which the MTA gets all or nothing; ten edits then cost one system call and not eleven.
///
/// libmilter has no option for this, so its `writev` is answered here (SystemCalls.swift). All other writes pass on. Were the symbol
/// not taken, edits would leave one by one as they always have, and the log would say so.
enum HeldWrites {
    /// Whether libmilter finds our call.
    static var isInPlace: Bool { isAnsweredHere("writev") }

    /// Holds what this thread writes from now on.
    static func begin() {
        let writes = current ?? make()
        writes?.clear()
        writes?.phase = .holding
    }

    /// Lets what is held go with the next write.
    static func releaseWithNext() {
        guard let writes = current, writes.phase == .holding else { return }
        writes.phase = .releasing
    }

    /// Drops what is held, if anything is: a verdict that libmilter could not write has left it behind.
    static func drop() {
        guard let writes = current, writes.phase != .passing else { return }
        writes.clear()
    }

    /// Writes, or keeps what should be written until the next write.
    static func write(_ descriptor: Int32, _ vectors: UnsafeBufferPointer<iovec>) -> Int {
        guard let writes = current, writes.phase != .passing else {
            return unsafe passOn(descriptor, vectors)
        }
        return unsafe writes.write(descriptor, vectors)
    }

    private static func passOn(_ descriptor: Int32, _ vectors: UnsafeBufferPointer<iovec>) -> Int {
        unsafe milter_system_writev(descriptor, vectors.baseAddress, Int32(vectors.count))
    }

    // MARK: The state of a thread

    /// What a thread holds: libmilter returns from a callback and writes the reply in one thread.
    private final class Writes {
        enum Phase { case passing, holding, releasing }

        var phase = Phase.passing
        private var descriptor: Int32 = -1
        private var bytes: [UInt8] = []

        /// The most that is held; more could make the last write wait for the MTA, which then has no timeout.
        private static let limit = 128 * 1024
        /// The most that is kept for the next message.
        private static let spare = 16 * 1024

        func clear() {
            phase = .passing
            descriptor = -1
            bytes.removeAll(keepingCapacity: bytes.capacity <= Self.spare)
        }

        /// Does what writev(2) does, or seems to.
        func write(_ descriptor: Int32, _ vectors: UnsafeBufferPointer<iovec>) -> Int {
            if bytes.isEmpty { self.descriptor = descriptor }
            guard descriptor == self.descriptor else { return unsafe passOn(descriptor, vectors) }
            let held = bytes.count
            for index in vectors.indices {
                unsafe bytes.append(
                    contentsOf: UnsafeRawBufferPointer(
                        start: vectors[index].iov_base, count: vectors[index].iov_len))
            }
            let count = bytes.count - held
            if phase == .holding, bytes.count <= Self.limit { return count }
            defer { clear() }
            return flush() ? count : -1
        }

        /// Writes all that is held; false, with errno set, if that fails.
        private func flush() -> Bool {
            var start = 0
            while start < bytes.count {
                let written = unsafe bytes[start...].withUnsafeBytes { rest in
                    unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
                }
                if written < 0 {
                    guard errno == EINTR else { return false }
                } else {
                    start += written
                }
            }
            return true
        }
    }

    /// The key under which each thread keeps its own; nil where the system gives none.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        let result = unsafe pthread_key_create(&key) { writes in
            if let writes = unsafe writes {
                unsafe Unmanaged<Writes>.fromOpaque(writes).release()
            }
        }
        return result == 0 ? key : nil
    }()

    private static var current: Writes? {
        guard let key, let pointer = unsafe pthread_getspecific(key) else { return nil }
        return unsafe Unmanaged<Writes>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static func make() -> Writes? {
        guard let key else { return nil }
        let writes = Writes()
        let reference = unsafe Unmanaged.passRetained(writes)
        guard unsafe pthread_setspecific(key, reference.toOpaque()) == 0 else {
            unsafe reference.release()
            return nil
        }
        return writes
    }
}
