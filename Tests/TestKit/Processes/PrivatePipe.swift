public import Foundation
internal import Glibc

/// A pipe whose ends only the child gets that they are meant for.
///
/// Foundation's would be open in every program that another test happens to start, and its end would not be seen while that runs.
public struct PrivatePipe: Sendable {
    /// Where it is read.
    public let reading: FileHandle
    /// Where it is written.
    public let writing: FileHandle

    /// Makes one.
    public init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw TestKitError("no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        writing = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    }
}
