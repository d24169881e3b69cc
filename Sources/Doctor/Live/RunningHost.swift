/// What only a host that runs can be asked; each question may go without an answer, which is nil.
package struct RunningHost: Sendable {
    /// What systemd says of a unit in one word: `active`, `inactive`, `failed`.
    package var unitState: @Sendable (_ unit: String) -> String?
    /// What a service has logged as errors since it started, or was last reloaded, oldest first.
    package var errorsLogged: @Sendable (_ unit: String) -> [String]?
    /// The room on the file system of a path.
    package var room: @Sendable (_ path: String) -> DiskRoom?
    /// Whether something keeps the clock right.
    package var isClockKept: @Sendable () -> Bool?
    /// What Postfix answers here to a recipient of mail without a sender.
    package var answerToRecipient: @Sendable (_ address: String) -> SMTPAnswer?
    /// The time of day, in seconds since 1970.
    package var now: @Sendable () -> Int64

    /// Names whom to ask.
    package init(
        unitState: @escaping @Sendable (String) -> String?,
        errorsLogged: @escaping @Sendable (String) -> [String]?,
        room: @escaping @Sendable (String) -> DiskRoom?,
        isClockKept: @escaping @Sendable () -> Bool?,
        answerToRecipient: @escaping @Sendable (String) -> SMTPAnswer?,
        now: @escaping @Sendable () -> Int64
    ) {
        self.unitState = unitState
        self.errorsLogged = errorsLogged
        self.room = room
        self.isClockKept = isClockKept
        self.answerToRecipient = answerToRecipient
        self.now = now
    }
}

/// The room on a file system for whoever is not root.
package struct DiskRoom: Sendable {
    /// Which file system it is, as stat(2) tells them apart.
    let device: UInt64
    /// Free, in octets.
    let free: UInt64
    /// The whole, in octets.
    let size: UInt64
    /// Files that can still be made; nil where there is no limit.
    let freeFiles: UInt64?
    /// The number of files that there can be.
    let files: UInt64

    /// Describes a file system.
    package init(
        device: UInt64, free: UInt64, size: UInt64, freeFiles: UInt64?, files: UInt64
    ) {
        self.device = device
        self.free = free
        self.size = size
        self.freeFiles = freeFiles
        self.files = files
    }
}

/// An answer of an SMTP server (RFC 5321, section 4.2).
package struct SMTPAnswer: Hashable, Sendable {
    /// The three digits.
    let code: Int
    /// What stands behind them in the last line.
    let text: String

    /// Describes an answer.
    package init(code: Int, text: String) {
        self.code = code
        self.text = text
    }
}
