/// A service as a line of master.cf describes it (master(5)).
package struct MasterService: Sendable {
    /// A parameter that the service sets anew with `-o`.
    package struct Option: Hashable, Sendable {
        /// The parameter.
        package let name: String
        /// The value, its references not expanded.
        package let value: String
        /// The number of the physical line.
        package let line: Int
    }

    /// The name: for `inet` a port, alone or after a host and a colon.
    package let name: String
    /// `inet`, `unix`, `unix-dgram`, `fifo` or `pass`.
    package let type: String
    /// The columns private, unprivileged, chroot, wakeup and process limit, as written; `-` is Postfix's choice.
    package let columns: [String]
    /// The program.
    package let command: String
    /// What follows the program, words in braces without these.
    package let arguments: [String]
    /// The parameters that it sets anew, in order; of several for one name the last holds.
    package let options: [Option]
    /// The number of the line that the service begins on, from 1.
    package let line: Int

    /// What postconf(1) calls the service: `NAME/TYPE`.
    package var key: String { "\(name)/\(type)" }

    /// The option that holds for a parameter.
    package func option(_ name: String) -> Option? { options.last { $0.name == name } }

    /// Whether the program runs in the queue directory as its root; `-` means so with compatibility levels below 1.
    package func isChrooted(_ values: ParameterValues) -> Bool {
        guard columns[2] == "-" else { return columns[2] == "y" }
        let level = values["compatibility_level"]?.split(separator: ".").first.flatMap { Int($0) }
        return (level ?? 0) < 1
    }
}

/// Where the words of a service stand in the text of its line.
struct ServicePlace: Sendable {
    let line: LogicalLine
    /// All words, in order.
    let words: [Range<Int>]
    /// The options that MasterService lists, each with the words that it is made of.
    let options: [(words: Range<Int>, value: Range<Int>, isAttached: Bool)]
    /// How many words come before the place of a further option.
    let optionEnd: Int
}
