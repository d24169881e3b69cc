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
    local attempt
    # fail2ban of Debian 13 reads the journal of this boot alone.
    for attempt in 1 2 3; do
        refused mallory@forged.example "$outsider" 550 || fail 'SPF lets forged mail pass'
    done
    postfix_log >"$scratch/postfix.log"
    fail2ban_bans
    crowdsec_explains
    logcheck_is_silent
    lines_are_mail
}

# refusals [OPTION...]: how many refusals for SPF, DKIM or DMARC are in Postfix's log.
refusals() {
    postfix_log "$@" | grep -cE "reject: .*from [^ ]*\[$outsider\]: (550 )?5\.7\.2"
}

# fail2ban_counts: whether it has counted all refusals, or all of this boot.
fail2ban_counts() {
    inside fail2ban-client status signet >"$scratch/jail" 2>&1
    grep -qE "Total failed:[[:space:]]*($(refusals)|$(refusals --boot))\$" "$scratch/jail"
}

fail2ban_bans() {
    local report
    [ "$(refusals)" -ge 7 ] || fail 'the log has fewer refusals than there were'
    cp "$scratch/postfix.log" "$(outside_path /root/postfix.log)"
    report=$(inside fail2ban-regex --print-all-matched /root/postfix.log \
        /etc/fail2ban/filter.d/signet.conf) || fail "fail2ban-regex: $report"
    [ "$(grep -c "|.*RCPT from .*\[$outsider\].*5\.7\.23" <<<"$report")" -eq 6 ] ||
        { echo "$report" >&2; fail 'fail2ban-regex does not see the refusals'; }
    # As the comment in the jail's file says; the outsider's address is one of the machine's own here.
    printf '%s\n' '[sshd]' 'enabled = false' '[signet]' 'enabled = true' 'ignoreself = false' \
        >"$(outside_path /etc/fail2ban/jail.local)"
    inside rm /etc/systemd/system/fail2ban.service
    inside systemctl daemon-reload
    inside systemctl start fail2ban || fail 'fail2ban does not take the jail'
    eventually fail2ban_counts || { cat "$scratch/jail" >&2; fail 'fail2ban counts otherwise'; }
    inside systemctl stop fail2ban
    step "fail2ban: $(grep 'Total failed' "$scratch/jail" | tr -d '|-') refusals, read from the journal"
}

# What this test has done to the daemons, and an administrator wants to hear of.
misfortune='Nonsense|does not start|SIGKILL|status=9/KILL|status=78/CONFIG|Fail|Reload failed|Scheduled restart'
misfortune+='|cannot be reloaded because it is inactive|the reload is refused|Trigger limit hit|old one stays'

logcheck_is_silent() {
    local name left
    for name in $daemons; do
        left=$(inside journalctl --quiet --no-pager --output short "_SYSTEMD_UNIT=signet-$name.service" \
            + "UNIT=signet-$name.service" + "UNIT=signet-$name.socket" |
            grep --invert-match --extended-regexp --file \
                "$(outside_path "/etc/logcheck/ignore.d.server/signet-$name")" |
            grep --invert-match --extended-regexp "$misfortune")
        [ -z "$left" ] || { head -n 20 <<<"$left" >&2; fail "logcheck would report lines of signet-$name"; }
    done
    step 'logcheck has nothing to report'
}

# Where rsyslog takes the journal's lines, it sorts them by facility, mail being 2, and by name.
lines_are_mail() {
    local name
    for name in $daemons; do
        inside journalctl --quiet --no-pager --output json "_SYSTEMD_UNIT=signet-$name.service" |
            awk -v name="signet-$name" '
                !/"SYSLOG_FACILITY":"2"/ || index($0, "\"SYSLOG_IDENTIFIER\":\"" name "\"") == 0 { exit 1 }
                END { if (NR < 10) exit 1 }' ||
            fail "a line of signet-$name is not the mail system's"
    done
    step 'rsyslog gets every line with facility mail and the name of its daemon'
}

# Installed in the machine as Debian has it, apart from its registration with a service outside.
crowdsec_explains() {
    local report
    mkdir -p "$(outside_path /etc/crowdsec)"
    echo 'url: none' >"$(outside_path /etc/crowdsec/online_api_credentials.yaml)"
    apt install "/newer/${crowdsec##*/}" >"$scratch/crowdsec" ||
        { cat "$scratch/crowdsec" >&2; fail 'CrowdSec cannot be installed'; }
    inside cp /usr/share/signet/crowdsec/signet-logs.yaml /etc/crowdsec/parsers/s01-parse/
    inside cp /usr/share/signet/crowdsec/signet-forgery.yaml /etc/crowdsec/scenarios/
    # It takes its time for each line: the refusals, and enough that are none.
    (grep 'reject: ' "$scratch/postfix.log"; grep -v 'reject: ' "$scratch/postfix.log" | head -n 200) \
        >"$(outside_path /root/explained.log)"
    report=$(inside cscli explain --file /root/explained.log --type syslog --verbose 2>&1)
    [ "$(grep -c 'signet/signet-forgery' <<<"$report")" -eq "$(refusals)" ] ||
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
