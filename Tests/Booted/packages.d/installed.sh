# shellcheck shell=bash disable=SC2046,SC2154
# Packages on the machine: installing, looking at what is there, upgrading, removing, purging.
#
# Sourced by Tests/Booted/packages.

daemons='scrub dkim dmarc spf'
# The section of README that a new user follows.
first_steps='The first signed message in five minutes'

step() {
    printf '   %4d s  %s\n' "$SECONDS" "$*"
}

# services: the units of the daemons.
services() {
    local name
    for name in $daemons; do printf 'signet-%s.service ' "$name"; done
}

# dependencies_of DEB...: the packages of Debian that they depend on.
dependencies_of() {
    local deb
    for deb in "$@"; do dpkg-deb --field "$deb" Depends; done |
        tr ',' '\n' | sed 's/|.*//; s/(.*//; s/[[:space:]]//g' | grep -v '^signet' | sort -u
}

# apt ARGUMENT...: apt-get inside, as an administrator who keeps his own files.
apt() {
    inside DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null 2>&1
}

# debs DIRECTORY: the packages as the machine sees them in DIRECTORY.
debs() { (cd "$scratch/new" && printf "$1/%s\n" ./*.deb | sed 's,/\./,/,'); }

# prepare_disk ROOT: what the machine needs before it boots: a name server, and nothing that bans.
prepare_disk() {
    local disk=$1
    # It starts once there is something in the journal for it.
    ln -s /dev/null "$disk/etc/systemd/system/fail2ban.service"
    rm -f "$disk/etc/resolv.conf"
    echo 'nameserver 127.0.0.1' >"$disk/etc/resolv.conf"
    mkdir -p "$disk/etc/nsd/nsd.conf.d"
    cat >"$disk/etc/nsd/nsd.conf.d/test.conf" <<'NSD'
server:
    ip-address: 127.0.0.1
zone:
    name: .
    zonefile: /etc/nsd/names
NSD
    # All names that there are: DMARC asks the top-level domains too. Keys are added at the end.
    cat >"$disk/etc/nsd/names" <<ZONE
\$TTL 60
. SOA ns.example.org. hostmaster.example.org. 1 60 60 60 60
. NS ns.example.org.
\$ORIGIN forged.example.
@ TXT "v=spf1 -all"
_dmarc TXT "v=DMARC1; p=reject"
\$ORIGIN example.org.
@ TXT "v=spf1 ip4:$outsider -all"
ns A 127.0.0.1
client A $outsider
ZONE
}

install_packages_first_time() {
    local before command
    before=$(postfix_files)
    command=$(readme_commands "$first_steps" 'apt install') || exit
    transcript=$(inside DEBIAN_FRONTEND=noninteractive sh -c "cd /packages; yes | $command" 2>&1) ||
        { printf '%s\n' "$transcript" >&2; fail 'apt-get does not install the packages'; }
    [ "$(postfix_files)" = "$before" ] || fail 'the packages changed a file of Postfix'
    [ "$(grep -c '^    smtpd_milters = ' <<<"$transcript")" -eq 1 ] ||
        { printf '%s\n' "$transcript" >&2; fail 'the lines for main.cf are not printed once'; }
    diff <(printed_lines '' <<<"$transcript") <(printed_lines '    ' <README.md) ||
        fail 'README shows other lines than the packages print'
    step "installed with $command, which prints what README shows"
}

# printed_lines MARGIN: what the packages say at the end, out of a text in which it has that margin.
printed_lines() {
    tr -d '\r' | sed -n "/^$1Signet is ready/,/reject_unauth/s/^$1//p" | grep '[^ ]'
}

postfix_files() { inside sha256sum /etc/postfix/main.cf /etc/postfix/master.cf; }

# verify_units: what the packages promise of sockets, users and rights.
verify_units() {
    local name socket unit user
    [ "$(inside stat -c '%a %U %G' /var/spool/postfix/signet)" = '750 root postfix' ] ||
        fail 'the directory of the sockets has other rights'
    for name in $daemons; do
        socket=/var/spool/postfix/signet/$name.sock
        [ "$(inside stat -c '%F %a %U %G' "$socket")" = 'socket 660 root postfix' ] ||
            fail "$socket has other rights"
        # systemctl is content when one unit of several is what it asks for.
        for unit in "signet-$name.socket" "signet-$name.service"; do
            inside systemctl --quiet is-enabled "$unit" || fail "$unit is not enabled"
            inside systemctl --quiet is-active "$unit" ||
                { inside journalctl --no-pager -u "signet-$name*" >&2; fail "$unit does not run"; }
        done
        inside "/usr/sbin/signet-$name" -n -x "/etc/signet/$name.conf" ||
            fail "signet-$name finds fault with the configuration of its package"
        [ "$(connect_as postfix "$socket")" = connected ] || fail "Postfix does not reach $socket"
        for user in nobody "signet-$name"; do
            [ "$(connect_as "$user" "$socket")" = EACCES ] || fail "$user reaches $socket"
        done
        [ "$(daemon_user "$name")" = "signet-$name" ] ||
            { inside journalctl --no-pager -u "signet-$name*" >&2; fail "signet-$name runs as another user"; }
    done
    inside signet --version >/dev/null || fail 'the command signet does not run'
    step 'units run, sockets are for Postfix alone'
}

# connect_as USER SOCKET: prints what becomes of a connection: "connected", or the error's name.
connect_as() {
    inside runuser -u "$1" -- python3 -c 'import errno, socket, sys
error = socket.socket(socket.AF_UNIX).connect_ex(sys.argv[1])
print(errno.errorcode.get(error, "connected"))' "$2"
}

main_pid() { inside systemctl show --property MainPID --value "signet-$1"; }

# daemon_user NAME: the user that a daemon runs as.
daemon_user() { inside stat -c %U "/proc/$(main_pid "$1")"; }

# make_newer_packages FROM TO: the same packages with a later version and other configuration files.
make_newer_packages() {
    local deb tree name
    for deb in "$1"/*.deb; do
        tree=$scratch/newer.tree
        rm -rf "$tree"
        dpkg-deb --raw-extract "$deb" "$tree" || fail "$deb cannot be taken apart"
        sed -i 's/^Version: .*/Version: 9.9/' "$tree/DEBIAN/control"
        for name in "$tree"/etc/signet/*.conf; do
            [ ! -e "$name" ] || echo '# A later version has one more line.' >>"$name"
        done
        dpkg-deb --root-owner-group -Znone --build "$tree" "$2/${deb##*/}" >/dev/null ||
            fail "$deb cannot be put together"
    done
}

upgrade_keeps_edits() {
    local name report edited pids=''
    # spf.conf is as installed, the others have been edited.
    edited=$(edited_files)
    for name in $daemons; do pids="$pids $(main_pid "$name")"; done
    start_knocking
    report=$(apt install $(debs /newer)) || { echo "$report" >&2; fail 'the upgrade fails'; }
    stop_knocking 'through an upgrade'
    for name in $daemons; do
        [[ " $pids " == *" $(main_pid "$name") "* ]] && fail "signet-$name is still the old one"
    done
    [ "$(edited_files)" = "$edited" ] || fail 'an upgrade lost edits'
    for name in $daemons; do
        if [ "$name" = spf ]; then name=$name.conf; else name=$name.conf.dpkg-dist; fi
        inside tail -n 1 "/etc/signet/$name" | grep 'one more line' >/dev/null ||
            fail "the later version's $name is not there"
    done
    keys_and_reports_are_kept 'an upgrade'
    sign_some upgraded 20
    step 'upgraded: edits and keys are kept, no connection was refused'
}

edited_files() { inside sha256sum /etc/signet/dkim.conf /etc/signet/dmarc.conf /etc/signet/scrub.conf; }

keys_and_reports_are_kept() {
    inside test -s /etc/signet/keys/example.org/mail.private || fail "$1 took the keys"
    inside test -s /var/lib/signet-dmarc/reports.db || fail "$1 took the report data"
}

remove_and_reinstall() {
    local report name
    report=$(apt remove 'signet*') || { echo "$report" >&2; fail 'the packages cannot be removed'; }
    for name in $daemons; do
        inside test -e "/usr/sbin/signet-$name" && fail "signet-$name is still there"
        inside test -e "/var/spool/postfix/signet/$name.sock" && fail "its socket is still there"
        inside test -e "/etc/signet/$name.conf" || fail "removal took $name.conf"
    done
    keys_and_reports_are_kept removal
    refused ann@example.org 127.0.0.1 4 || fail 'mail passes unsigned once the signer is removed'
    report=$(apt install $(debs /packages)) ||
        { echo "$report" >&2; fail 'the packages cannot be installed again'; }
    sign_some again 20
    step 'removed and installed again: configuration, keys and report data were kept'
}

purge_leaves_nothing() {
    local report left
    inside sh -c 'ls /var/lib/dpkg/info/signet*.templates' 2>/dev/null && fail 'a package asks something'
    left=$(postfix_files)
    report=$(apt purge 'signet*') || { echo "$report" >&2; fail 'the packages cannot be purged'; }
    [ "$(postfix_files)" = "$left" ] || fail 'purging changed a file of Postfix'
    left=$(inside find / -xdev -name '*signet*' -not -path '/proc/*' -not -path '/tmp/*')
    [ -z "$left" ] || fail "purging leaves $left"
    left=$(inside cat /etc/passwd /etc/group /etc/shadow | grep signet)
    [ -z "$left" ] || fail "purging leaves $left"
    left=$(inside systemctl list-units --all --no-legend 'signet*')
    [ -z "$left" ] || fail "purging leaves $left"
    step 'purged: nothing is left'
}

# often UNIT SECONDS: a timer goes off every so many seconds, until often_no_more UNIT.
often() {
    inside mkdir -p "/etc/systemd/system/$1.d"
    cat >"$(outside_path "/etc/systemd/system/$1.d/often.conf")" <<UNIT
[Timer]
OnCalendar=
OnCalendar=*:*:0/$2
RandomizedDelaySec=0
AccuracySec=100ms
UNIT
    inside systemctl daemon-reload
    inside systemctl enable --now "$1" 2>/dev/null || fail "$1 cannot be enabled"
}

# often_no_more UNIT: and its service has ended. What belongs to no package would be left when all are purged.
often_no_more() {
    inside systemctl disable --now "$1" 2>/dev/null
    while inside systemctl --quiet is-active "${1%.timer}.service"; do sleep 0.2; done
    inside rm -r "/etc/systemd/system/$1.d"
    inside systemctl daemon-reload
}
