# shellcheck shell=bash disable=SC2154
# What others make of units and logs: systemd-analyze, fail2ban, CrowdSec, logcheck.
#
# Sourced by Tests/Booted/packages.

security_scores() {
    local name score
    for name in $daemons; do
        score=$(inside systemd-analyze security --no-pager "signet-$name.service" |
            sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p')
        awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 1.5) }' ||
            fail "the exposure of signet-$name.service is $score"
        step "signet-$name: exposure $score, $(
            stat -c %s "$(outside_path "/usr/sbin/signet-$name")" | awk '{ printf "%.1f MB", $1 / 1e6 }'
        ), $(awk '/^VmRSS/ { printf "%.1f MB resident", $2 / 1000 }' \
            "$(outside_path "/proc/$(main_pid "$name")/status")")"
    done
}

logs_are_understood() {
    fail2ban_bans
    crowdsec_explains
    logcheck_is_silent
}

fail2ban_bans() {
    has spf || return 0
    local report
    postfix_log >"$(outside_path /root/postfix.log)"
    report=$(inside fail2ban-regex --print-all-matched /root/postfix.log \
        /etc/fail2ban/filter.d/signet.conf) || fail "fail2ban-regex: $report"
    [ "$(grep -c "RCPT from .*\[$outsider\].*5\.7\.23" <<<"$report")" -eq 3 ] ||
        { echo "$report" >&2; fail 'fail2ban does not see the refusals'; }
    inside fail2ban-client --test >/dev/null || fail 'fail2ban does not take the jail'
    step 'fail2ban matches the refusals and nothing else'
}

logcheck_is_silent() {
    local name left
    for name in $daemons; do
        left=$(inside journalctl --quiet --no-pager --output short "_SYSTEMD_UNIT=signet-$name.service" \
            --priority info |
            grep --invert-match --extended-regexp --file \
                "$(outside_path "/etc/logcheck/ignore.d.server/signet-$name")" |
            grep -v 'Nonsense\|errors\? in\|not reload\|does not start\|tried again')
        [ -z "$left" ] || { head -n 20 <<<"$left" >&2; fail "logcheck would report lines of signet-$name"; }
    done
    step 'logcheck has nothing to report'
}

# Installed in the machine as Debian has it, apart from its registration with a service outside.
crowdsec_explains() {
    has spf || return 0
    local report
    mkdir -p "$(outside_path /etc/crowdsec)"
    echo 'url: none' >"$(outside_path /etc/crowdsec/online_api_credentials.yaml)"
    apt install "/newer/${crowdsec##*/}" >"$scratch/crowdsec" ||
        { cat "$scratch/crowdsec" >&2; fail 'CrowdSec cannot be installed'; }
    inside cp /usr/share/signet/crowdsec/signet-logs.yaml /etc/crowdsec/parsers/s01-parse/
    inside cp /usr/share/signet/crowdsec/signet-forgery.yaml /etc/crowdsec/scenarios/
    report=$(inside cscli explain --file /root/postfix.log --type syslog --verbose 2>&1)
    [ "$(grep -c 'signet/signet-forgery' <<<"$report")" -eq 3 ] ||
        { tail -n 60 <<<"$report" >&2; fail 'CrowdSec does not see the refusals'; }
    apt purge crowdsec >/dev/null
    step 'CrowdSec: each refusal goes into the bucket of the scenario'
}

# fetch_crowdsec: prints the package as it comes from Debian, kept beside the cached roots.
fetch_crowdsec() {
    local version
    apt-cache show crowdsec >/dev/null 2>&1 || apt-get --quiet update >&2
    version=$(apt-cache policy crowdsec | sed -n 's/^ *Candidate: //p')
    mkdir -p "$machine_cache/crowdsec-$version"
    (cd "$machine_cache/crowdsec-$version" && ls ./*.deb >/dev/null 2>&1 ||
        apt-get --quiet download crowdsec >&2) || return
    printf '%s\n' "$machine_cache/crowdsec-$version"/*.deb
}
