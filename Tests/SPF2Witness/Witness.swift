// What libspf2 says of SPF checks: a process of its own, because libspf2 aborts on some records.
//
// Reads lines from standard input. "record NAME TYPE STATUS DATA" adds to the zone of the check to come,
// with TYPE and STATUS as numbers and DATA in hexadecimal; "check ADDRESS HELO SENDER", the last two in
// hexadecimal, answers with one line, the result's word, and empties the zone.

import CSPF2
import Glibc

@main
struct Witness {
    static func main() {
        var zone: [ZoneLine] = []
        while let line = readLine() {
            let words = line.split(separator: " ", omittingEmptySubsequences: false).map(
                String.init)
            if words.first == "record", words.count == 5, let type = UInt32(words[2]),
                let status = Int32(words[3])
            {
                zone.append(
                    ZoneLine(name: words[1], type: type, status: status, data: unhex(words[4])))
            } else if words.first == "check", words.count == 4 {
                answer(check(zone, words[1], helo: unhex(words[2]), sender: unhex(words[3])))
                zone = []
            }
        }
    }

    struct ZoneLine {
        let name: String
        let type: UInt32
        let status: Int32
        let data: String
    }

    /// Runs one check against the zone.
    static func check(
        _ zone: [ZoneLine], _ address: String, helo: String, sender: String
    ) -> String {
        guard let dns = unsafe SPF_dns_zone_new(nil, "zone", 0) else { return "no-memory" }
        for line in zone {
            unsafe SPF_dns_zone_add_str(
                dns, line.name, ns_type(rawValue: line.type), line.status, line.data)
        }
        guard let server = unsafe SPF_server_new_dns(dns, 0) else { return "no-memory" }
        defer { unsafe SPF_server_free(server) }
        unsafe SPF_server_set_rec_dom(server, "mx.example.net")
        guard let request = unsafe SPF_request_new(server) else { return "no-memory" }
        defer { unsafe SPF_request_free(request) }
        if address.utf8.contains(0x3A) {
            unsafe SPF_request_set_ipv6_str(request, address)
        } else {
            unsafe SPF_request_set_ipv4_str(request, address)
        }
        unsafe SPF_request_set_helo_dom(request, helo)
        unsafe SPF_request_set_env_from(request, sender)
        var response: UnsafeMutablePointer<SPF_response_t>?
        unsafe SPF_request_query_mailfrom(request, &response)
        guard let response = unsafe response else { return "no-response" }
        defer { unsafe SPF_response_free(response) }
        guard let word = unsafe SPF_strresult(SPF_response_result(response)) else {
            return "no-word"
        }
        return unsafe String(cString: word)
    }

    private static func answer(_ word: String) {
        print(word)
        fflush(nil)
    }

    private static func unhex(_ text: String) -> String {
        var octets: [UInt8] = []
        var high: UInt8?
        for digit in text.utf8 {
            let value = digit < 0x3A ? digit &- 0x30 : (digit | 0x20) &- 0x57
            if let first = high {
                octets.append(first << 4 | value & 0xF)
                high = nil
            } else {
                high = value & 0xF
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
