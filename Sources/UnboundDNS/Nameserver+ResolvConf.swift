internal import MailDNS
internal import MailSyntax

extension Nameserver {
    /// The servers of a resolv.conf(5) file; those whose address cannot be read are left out.
    static func list(inResolvConf path: String) -> [Nameserver] {
        let text = String(decoding: FileReader.beginning(of: path, 65_536), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0] == "nameserver" else { return nil }
            return IPAddress(String(words[1])).map { Nameserver($0) }
        }
    }
}
