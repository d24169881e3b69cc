internal import Foundation

/// Base64 as SMTP AUTH and keys in DNS use it.
public enum Base64 {
    /// The text form of `bytes` in one line.
    public static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
    }
}
