internal import Glibc

// What the shared libraries of the process find in the place of the C library's functions, so that libmilter can be served better
// than it provides for; not for use by others. A symbol that a program defines comes before the C library's for the shared libraries
// that it is linked with (ld.so(8)). They are public because the linker hides what is internal from shared libraries.

/// Whether the shared libraries find a function of the program's under a name of the C library's.
func isAnsweredHere(_ name: String) -> Bool {
    // RTLD_NEXT: what they would find without the program.
    let next = unsafe UnsafeMutableRawPointer(bitPattern: -1)
    return unsafe dlsym(nil, name) != dlsym(next, name)
}

/// Does what accept(2) does, and remembers what libmilter accepts (`ReadAhead`).
///
/// - Parameters:
///   - descriptor: a listening socket.
///   - address: room for a `struct sockaddr`, or null.
///   - length: the size of that room, a `socklen_t`, or null.
/// - Returns: the connection; -1, with errno set, where that failed.
@_cdecl("accept")
public func acceptConnection(
    _ descriptor: Int32, _ address: UnsafeMutableRawPointer?, _ length: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe ReadAhead.accept(
        descriptor, address?.assumingMemoryBound(to: sockaddr.self),
        length?.assumingMemoryBound(to: socklen_t.self))
}

/// Does what poll(2) does; what has been received of a connection counts as readable (`ReadAhead`).
///
/// - Parameters:
///   - entries: what to wait for, as `struct pollfd`.
///   - count: how many entries there are.
///   - timeout: the longest wait in milliseconds; without end if negative.
/// - Returns: how many are ready; 0 when the time is over; -1, with errno set, where that failed.
@_cdecl("poll")
public func pollDescriptors(
    _ entries: UnsafeMutableRawPointer?, _ count: UInt, _ timeout: Int32
) -> Int32 {
    unsafe ReadAhead.poll(
        UnsafeMutableBufferPointer(
            start: entries?.assumingMemoryBound(to: pollfd.self), count: Int(count)),
        timeout: timeout)
}

/// Does what read(2) does, of what has been received first (`ReadAhead`).
///
/// - Parameters:
///   - descriptor: where to read.
///   - space: where to put it.
///   - count: how much fits.
/// - Returns: how many octets were read; 0 at the end; -1, with errno set, where that failed.
@_cdecl("read")
public func readOctets(_ descriptor: Int32, _ space: UnsafeMutableRawPointer?, _ count: Int) -> Int
{
    unsafe ReadAhead.read(
        descriptor, UnsafeMutableRawBufferPointer(start: space, count: count))
}

/// Does what a library that was built with _FORTIFY_SOURCE calls for poll(2).
///
/// - Parameters:
///   - entries: what to wait for, as `struct pollfd`.
///   - count: how many entries there are.
///   - timeout: the longest wait in milliseconds; without end if negative.
///   - size: the size of what `entries` points to; the program ends where it is too small.
/// - Returns: what poll(2) returns.
@_cdecl("__poll_chk")
public func pollDescriptorsChecked(
    _ entries: UnsafeMutableRawPointer?, _ count: UInt, _ timeout: Int32, _ size: UInt
) -> Int32 {
    if size / UInt(MemoryLayout<pollfd>.stride) < count { abort() }
    return unsafe pollDescriptors(entries, count, timeout)
}

/// Does what a library that was built with _FORTIFY_SOURCE calls for read(2).
///
/// - Parameters:
///   - descriptor: where to read.
///   - space: where to put it.
///   - count: how much fits.
///   - size: the size of what `space` points to; the program ends where it is too small.
/// - Returns: what read(2) returns.
@_cdecl("__read_chk")
public func readOctetsChecked(
    _ descriptor: Int32, _ space: UnsafeMutableRawPointer?, _ count: Int, _ size: UInt
) -> Int {
    if size < UInt(bitPattern: count) { abort() }
    return unsafe readOctets(descriptor, space, count)
}

/// Does what close(2) does, and forgets what has been received (`ReadAhead`).
///
/// - Parameter descriptor: what to close.
/// - Returns: 0; -1, with errno set, where that failed.
@_cdecl("close")
public func closeDescriptor(_ descriptor: Int32) -> Int32 {
    ReadAhead.close(descriptor)
}

/// Does what writev(2) does, or seems to (`HeldWrites`).
///
/// - Parameters:
///   - descriptor: where to write.
///   - vectors: what to write, as `struct iovec`.
///   - count: how many vectors there are.
/// - Returns: how many octets were written; -1, with errno set, where that failed.
@_cdecl("writev")
public func writeVectors(
    _ descriptor: Int32, _ vectors: UnsafeRawPointer?, _ count: Int32
) -> Int {
    unsafe HeldWrites.write(
        descriptor,
        UnsafeBufferPointer(
            start: vectors?.assumingMemoryBound(to: iovec.self), count: max(0, Int(count))))
}
