import DaemonKit

extension LogText {
    /// Text of several lines, each made safe for a terminal.
    static func safeLines(_ text: String, limit: Int = 4_096) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { safe($0, limit: limit) }.joined(separator: "\n")
    }
}
