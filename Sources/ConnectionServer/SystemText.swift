import Glibc

/// An errno value in the system's words.
package struct SystemText: CustomStringConvertible {
    private let code: Int32

    /// Takes an errno value.
    package init(_ code: Int32) { self.code = code }

    /// The words.
    package var description: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress,
                unsafe strerror_r(code, base, buffer.count) == 0
            else { return "error \(code)" }
            return unsafe String(cString: base)
        }
    }
}
