import Glibc

/// Standard error, where lines go while nothing says otherwise.
enum StandardError {
    /// Whether it is the client's connection: spawn(8) connects all three descriptors to the client, who would take a line of the
    /// log for an answer.
    static let isClient: Bool = {
        var input = stat()
        var errors = stat()
        return unsafe fstat(0, &input) == 0 && fstat(2, &errors) == 0
            && errors.st_mode & S_IFMT == S_IFSOCK
            && input.st_dev == errors.st_dev && input.st_ino == errors.st_ino
    }()

    /// Standard error, or nothing where that is the client's connection.
    static var sink: any LogSink {
        isClient ? FunctionSink { _, _ in } : DescriptorSink.standardError()
    }
}
