import Glibc

/// A failed system call, named by its errno.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The errno value.
    public let code: Int32

    /// Wraps an errno value.
    public init(_ code: Int32) {
        self.code = code
    }

    /// The error that the calling thread's last failed system call left.
    public static var last: SystemError { SystemError(errno) }

    /// The system's words for it, such as `Permission denied`.
    public var description: String {
        // The XSI strerror_r fills our buffer; unlike strerror it may be called from any thread.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress,
                unsafe strerror_r(code, base, buffer.count) == 0
            else { return "error \(code)" }
            return unsafe String(cString: base)
        }
    }
}
