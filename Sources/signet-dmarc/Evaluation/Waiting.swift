import MailDNS
import Milter

extension PendingAnswer {
    /// The answer; where it has not come yet, libmilter's pool of threads is told that this one waits.
    func waitInPool() -> DNSAnswer {
        poll() ?? MilterServer.blocking { wait() }
    }
}
