internal import Configuration
internal import Glibc
internal import MailSyntax

extension KeyTree {
    /// Something in the folder that is not as it should be.
    package struct Finding: Hashable, Sendable {
        /// Whether a domain cannot sign for it.
        package let isError: Bool
        /// What it is about.
        package let path: String
        /// What is wrong.
        package let message: String
    }

    /// Looks at every domain without reading a key: its list, and whether the files of it are there.
    ///
    /// `visit` is called with the path of each key that signs, to look at the key itself.
    package func check(visit: (String) -> Void) -> [Finding] {
        guard let (domains, others) = domains() else {
            let reason = SystemError.last
            return [Finding(isError: true, path: root, message: "cannot be read: \(reason)")]
        }
        var findings = others.map {
            Finding(
                isError: false, path: "\(root)/\($0)",
                message: "is not the folder of a domain, in lower case and A-labels")
        }
        for domain in domains {
            switch selection(of: domain) {
            case .absent: continue
            case .fault(let reason):
                findings.append(
                    Finding(isError: true, path: "\(root)/\(domain)", message: reason))
            case .selectors(let selectors):
                for path in selectors.compactMap({ keyFile($0, of: domain) }) {
                    if isInside(path) {
                        visit(path)
                    } else {
                        findings.append(
                            Finding(
                                isError: true, path: path,
                                message: "is not there, or leads out of \(root)"))
                    }
                }
            }
        }
        return findings
    }
}
