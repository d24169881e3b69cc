internal import CLinux

/// Memory that the process holds and does not need for now.
public enum UnusedMemory {
    /// Gives it back to the system: free pages of the heap, and pages of programs and libraries, of which those that are used
    /// come back by themselves.
    ///
    /// Meant for the end of a start, which touches much that is never used again, and for moments in which there is nothing to do:
    /// some milliseconds may pass, and the next work has its code mapped again, about a tenth of a millisecond.
    public static func release() {
        signet_drop_file_pages()
        _ = malloc_trim(0)
    }
}
