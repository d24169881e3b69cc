/// Where in a configuration something stands, so that a message can lead the postmaster to it.
public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
    /// The file's path, or words for another origin such as `option -p`.
    public let file: String
    /// The line, counted from 1; nil when the whole file is meant.
    public let line: Int?
    /// The column in octets, counted from 1; nil when the whole line is meant.
    public let column: Int?

    /// Names a place in a file.
    public init(file: String, line: Int? = nil, column: Int? = nil) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// The form that compilers use and editors follow: `file:line:column`.
    public var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if let column { text += ":\(column)" }
        return text
    }
}
