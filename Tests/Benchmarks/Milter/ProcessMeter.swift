internal import Foundation
internal import TestKit

/// What the kernel tells of another process.
struct ProcessMeter {
    /// The process's number.
    let pid: Int32

    /// User and system time of all threads, dead ones too, in microseconds.
    var cpuMicroseconds: Double {
        get throws {
            var clock = clockid_t()
            var time = timespec()
            guard unsafe clock_getcpuclockid(pid, &clock) == 0,
                unsafe clock_gettime(clock, &time) == 0
            else { throw TestKitError("process \(pid) has no CPU clock") }
            return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
        }
    }

    /// The time of the threads of a name that are alive, in microseconds.
    func cpuMicroseconds(ofThreads name: String) throws -> Double {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        return tasks.reduce(0) { sum, task in
            let path = "/proc/\(pid)/task/\(task)"
            guard let comm = try? String(contentsOfFile: "\(path)/comm", encoding: .utf8),
                comm.trimmingCharacters(in: .newlines) == name,
                let times = try? String(contentsOfFile: "\(path)/schedstat", encoding: .utf8),
                // Nanoseconds on a processor come first (proc(5)).
                let nanoseconds = times.split(separator: " ").first.flatMap({ Double($0) })
            else { return sum }
            return sum + nanoseconds / 1e3
        }
    }

    /// The proportional set size, in kibibytes.
    var pss: Int {
        get throws { try number("Pss:", in: "/proc/\(pid)/smaps_rollup") }
    }

    /// How often its threads have gone to sleep by themselves.
    var sleeps: Int {
        get throws {
            let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
            return tasks.reduce(0) { sum, task in
                let path = "/proc/\(pid)/task/\(task)/status"
                return sum + ((try? number("voluntary_ctxt_switches:", in: path)) ?? 0)
            }
        }
    }

    private func number(_ label: String, in path: String) throws -> Int {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(label) } ?? ""
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count > 1, let value = Int(words[1]) else {
            throw TestKitError("\(path) has no \(label)")
        }
        return value
    }
}

/// The time on this thread that `body` takes, in microseconds.
func threadMicroseconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
    let start = now()
    try body()
    return now() - start
}

/// The clock on the wall, in microseconds.
func wallMicroseconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}
