internal import PostfixConfiguration

/// Whether what runs on the host runs as it should.
enum LiveChecks {
    private static let notRunning = "the host is asked only while it runs"

    // MARK: Units

    /// Whether systemd runs the daemons, and what they complain of.
    static let units = Check.ofFiles(
        "signet.unit", "Units", fine: "the daemons run, and have logged no error since they started"
    ) { host, tree in
        guard let running = host.running else {
            return [.skipped("signet.unit", "Units", notRunning)]
        }
        let present = (SuiteView.milters + ["spf"]).filter { name in
            ["/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system"]
                .contains { tree.exists("\($0)/signet-\(name).socket") }
        }
        guard !present.isEmpty else {
            return [.skipped("signet.unit", "Units", "no unit of ours is installed")]
        }
        return present.flatMap { unit($0, running) }
    }

    private static func unit(_ name: String, _ running: RunningHost) -> [Diagnosis] {
        let service = "signet-\(name).service"
        let socket = "signet-\(name).socket"
        // A daemon that is not running is started by its socket, so it is the socket that has to be there.
        for unit in [service, socket] where running.unitState(unit) == "failed" {
            return [
                Diagnosis(
                    .unitFailed, unit, "systemd says that it has failed",
                    mend: .command(
                        "systemctl restart \(unit) || journalctl -u signet-\(name) -n 20"))
            ]
        }
        guard let state = running.unitState(socket) else {
            return [.skipped("signet.unit", socket, "systemd gives no answer")]
        }
        guard state == "active" else {
            return [
                Diagnosis(
                    .unitInactive, socket, "systemd says that it is \(state)",
                    mend: .command("systemctl enable --now \(socket)"))
            ]
        }
        guard let last = running.errorsLogged(service)?.last else { return [] }
        return [
            Diagnosis(
                .unitErrors, service, "since it started it has logged: \(last)",
                mend: .command("journalctl -u signet-\(name) -p err"))
        ]
    }

    // MARK: Disk

    /// Below these parts of the whole a file system is called short of room.
    private static let lowPart: UInt64 = 20

    /// Whether there is room for the queue, for stores and for logs.
    static let disk = Check.ofFiles(
        "host.disk", "Disk", fine: "there is room for the queue, the stores and the log"
    ) { host, _ in
        guard let running = host.running else {
            return [.skipped("host.disk", "Disk", notRunning)]
        }
        let queue = host.postfix?.queueDirectory ?? "/var/spool/postfix"
        // Postfix refuses mail below one and a half times its size limit (queue_minfree in postconf(5)).
        let largest = host.postfix?.values["message_size_limit"].flatMap { UInt64($0) }
        let needed = (largest ?? 10_240_000).multipliedReportingOverflow(by: 3).partialValue / 2
        var findings: [Diagnosis] = []
        var seen: Set<UInt64> = []
        for path in [queue, "/var/lib", "/var/log"] {
            guard let room = running.room(path), seen.insert(room.device).inserted else { continue }
            if path == queue, room.free < needed {
                findings.append(
                    Diagnosis(
                        .diskFull, path, "\(megabytes(room.free)) are free",
                        mend: .words("make room on the file system of \(path)")))
            } else if room.free < room.size / lowPart {
                findings.append(
                    Diagnosis(
                        .diskLow, path,
                        "\(megabytes(room.free)) of \(megabytes(room.size)) are free",
                        mend: .words("make room on the file system of \(path)")))
            } else if let files = room.freeFiles, files < room.files / lowPart {
                findings.append(
                    Diagnosis(
                        .diskLow, path, "\(files) inodes are free",
                        mend: .words("remove files that nobody needs, such as old queue files")))
            }
        }
        return findings
    }

    private static func megabytes(_ octets: UInt64) -> String { "\(octets / 1_000_000) MB" }

    // MARK: Clock

    /// Whether the clock is kept right, since signatures carry the time and expire.
    static let clock = Check.ofFiles("host.clock", "Clock", fine: "the clock is synchronized") {
        host, tree in
        guard let running = host.running else {
            return [.skipped("host.clock", "Clock", notRunning)]
        }
        guard !tree.exists("/run/systemd/container") else {
            return [.skipped("host.clock", "Clock", "in a container it is the outer host's")]
        }
        guard let isKept = running.isClockKept() else {
            return [.skipped("host.clock", "Clock", "timedatectl(1) does not say")]
        }
        guard !isKept else { return [] }
        return [
            Diagnosis(
                .clockFree, "Clock", "it is not synchronized",
                mend: .words(
                    "systemctl enable --now systemd-timesyncd, after apt install systemd-timesyncd; "
                        + "where chrony or ntpd runs, correct its servers"))
        ]
    }
}
