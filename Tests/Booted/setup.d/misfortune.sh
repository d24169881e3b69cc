# shellcheck shell=bash disable=SC2154
# Setup on a running host where something refuses, or ends it.
#
# Sourced by Tests/Booted/setup.

# refuses WORD: setup --apply is refused with a reason that has the word, and leaves no trace.
refuses() {
    signet setup example.org --apply --yes >"$scratch/said"
    local status=$?
    [ $status -eq 78 ] || { cat "$scratch/said" >&2; fail "setup ends with $status, not refused"; }
    grep 'so all is as before' "$scratch/said" | grep -q "$1" ||
        { tail -n 5 "$scratch/said" >&2; fail "setup does not say that it was $1"; }
}

refused_configuration_is_put_back() {
    echo 'Nonsense yes' | inside tee -a /etc/signet/dkim.conf >/dev/null
    refuses signet-dkim
    inside sed -i '/^Nonsense/d' /etc/signet/dkim.conf
    is_as_before || fail 'a refused configuration leaves a trace'
    step 'a configuration that a daemon refuses is put back'
}

service_that_cannot_run_is_put_back() {
    local masked=/run/systemd/system/signet-dmarc.socket
    inside systemctl stop signet-dmarc.socket signet-dmarc.service
    inside systemctl mask --runtime signet-dmarc.socket 2>/dev/null || fail "$masked is not made"
    refuses systemctl
    inside systemctl unmask --runtime signet-dmarc.socket 2>/dev/null
    inside systemctl start signet-dmarc.socket signet-dmarc.service
    is_as_before || fail 'a service that cannot run leaves a trace'
    submit after-refusal || fail 'mail does not pass after a refusal'
    arrives after-refusal
    step 'where a service cannot run, all is put back, and mail passes'
}

# Ends setup with KILL at moments that lie between its first file and its last service, and runs it again: each
# time the host signs afterwards, and the undo leaves no trace. (That files are whole at any moment the tests
# of setup on a tree show.)
killed_at_any_moment() {
    local round delay
    for round in $(seq 10); do
        delay=$(awk -v round="$round" 'BEGIN { printf "%.2f", 0.2 + round * 0.25 }')
        # The shell would tell of each one that is killed.
        { timeout --signal=KILL "$delay" nsenter --target "$machine_leader" --mount --uts --ipc --net \
            --pid --root -- env -i PATH=/opt/signet:/usr/sbin:/usr/bin:/sbin:/bin \
            signet setup example.org --apply --yes >/dev/null 2>&1 </dev/null; } 2>/dev/null
        signet setup example.org --apply --yes >"$scratch/said" ||
            { cat "$scratch/said" >&2; fail "round $round: setup does not go on after $delay s"; }
        grep -q '^doctor: this host  ✔ nothing is wrong' "$scratch/said" ||
            { cat "$scratch/said" >&2; fail "round $round: killed after $delay s, the host is not well"; }
        submit "round-$round" || fail "round $round: mail does not pass"
        arrives "round-$round"
        inside grep -q '^DKIM-Signature:' "$file" || fail "round $round: mail is not signed"
        signet setup --undo --yes >"$scratch/said"
        grep -q 'as it was before' "$scratch/said" ||
            { cat "$scratch/said" >&2; fail "round $round: not undone"; }
        is_as_before || fail "round $round: killed after $delay s, something is left"
    done
    step "killed at 10 moments, and run again: mail is signed, and the undo leaves no trace"
}

# Units that were off before setup are off again after the undo, and mail passes without them.
undo_switches_off_what_was_off() {
    local units=(signet-{scrub,dkim,dmarc,spf}.{socket,service})
    inside systemctl disable --quiet --now signet-{scrub,dkim,dmarc,spf}.socket 2>/dev/null
    inside systemctl stop "${units[@]}"
    remember_configuration
    signet setup example.org --apply --yes >"$scratch/said" ||
        { cat "$scratch/said" >&2; fail 'setup does not go on where the sockets are off'; }
    inside systemctl --quiet is-enabled signet-dkim.socket || fail 'setup does not switch a socket on'
    submit switched-on || fail 'mail does not pass'
    arrives switched-on
    signet setup --undo --yes >"$scratch/said" || { cat "$scratch/said" >&2; fail 'not undone'; }
    is_as_before || fail 'a unit that was off is not'
    inside systemctl --quiet is-active "${units[@]}" && fail 'something of ours still runs'
    submit switched-off || fail 'mail does not pass after the undo'
    arrives switched-off
    step 'what was off before is off again after the undo'
}
