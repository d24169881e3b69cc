# shellcheck shell=bash disable=SC2154
# The host before Signet: what Debian's installer and the first page of any guide leave behind.
#
# Sourced by Tests/Booted/setup.

# The host's own addresses, and its name server's, which is none that mail leaves from.
host_addresses='203.0.113.25/32 2001:db8::25/128'
name_server=10.9.9.53

# prepare_host ROOT: names, and a name server that knows nothing yet but its own name.
prepare_host() {
    local disk=$1
    rm -f "$disk/etc/resolv.conf"
    echo 'nameserver 127.0.0.1' >"$disk/etc/resolv.conf"
    echo mail >"$disk/etc/hostname"
    printf '127.0.0.1 localhost\n203.0.113.25 mail.example.org mail\n' >"$disk/etc/hosts"
    mkdir -p "$disk/etc/nsd/nsd.conf.d"
    cat >"$disk/etc/nsd/nsd.conf.d/test.conf" <<NSD
server:
    ip-address: 127.0.0.1
    ip-address: $name_server
    ip-transparent: yes
zone:
    name: .
    zonefile: /etc/nsd/root.zone
zone:
    name: example.org
    zonefile: /etc/nsd/example.org.zone
NSD
    zone_head . >"$disk/etc/nsd/root.zone"
    zone_head example.org. >"$disk/etc/nsd/example.org.zone"
}

# zone_head ZONE: the records that a zone has before any of ours.
zone_head() {
    cat <<ZONE
\$TTL 60
$1 SOA ns.example.org. hostmaster.example.org. 1 60 60 60 60
$1 NS ns.example.org.
example.org. NS ns.example.org.
ns.example.org. A $name_server
ZONE
}

# binds_of_command: the options that put $SIGNET_COMMAND in the place of the installed command.
binds_of_command() {
    [ -n "${SIGNET_COMMAND:-}" ] || return 0
    local runtime
    echo "--bind-ro=$(realpath "$SIGNET_COMMAND"):/opt/signet/signet"
    # A build for debugging needs Swift's libraries, where its run path says that they are.
    runtime=$(objdump --private-headers "$SIGNET_COMMAND" | awk '$1 == "RUNPATH" { print $2 }')
    runtime=${runtime%%:*}
    [ ! -d "$runtime" ] || echo "--bind-ro=$runtime"
}

give_addresses() {
    local address
    for address in $host_addresses "$name_server/32"; do
        nsenter --target "$machine_leader" --net ip address add "$address" dev lo nodad 2>/dev/null ||
            nsenter --target "$machine_leader" --net ip address add "$address" dev lo
    done
}

# signet ARGUMENT...: the command, its two streams as one.
signet() {
    inside PATH=/opt/signet:/usr/sbin:/usr/bin:/sbin:/bin COLUMNS=100 signet "$@" 2>&1 </dev/null
}

# A host as Debian's questions leave it, with the submission service and Dovecot's logins of any guide.
administrator_sets_up_stock_services() {
    inside bash -e >"$scratch/admin" 2>&1 <<'END' || { cat "$scratch/admin" >&2; fail 'the host is not set up'; }
debconf-set-selections <<'ANSWERS'
postfix postfix/main_mailer_type select Internet Site
postfix postfix/mailname string example.org
postfix postfix/destinations string mail.example.org, example.org, localhost
ANSWERS
rm /etc/postfix/main.cf
DEBIAN_FRONTEND=noninteractive dpkg-reconfigure postfix
# One at a time: of several, postconf(1) adds those that are new in no order that can be known.
postconf -e home_mailbox=Maildir/
postconf -e smtpd_sasl_type=dovecot
postconf -e smtpd_sasl_path=private/auth
postconf -M submission/inet='submission inet n - y - - smtpd'
postconf -P submission/inet/{syslog_name=postfix/submission,smtpd_tls_security_level=encrypt}
postconf -P submission/inet/{smtpd_sasl_auth_enable=yes,milter_macro_daemon_name=ORIGINATING}
postconf -P submission/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject
# Debian 12 has the listener as a comment, Debian 13 as it is.
sed -i -e '/#unix_listener .*private.auth/,/#}/{s/#//;s/mode = 0666/mode = 0660\n    user = postfix\n    group = postfix/}' \
    /etc/dovecot/conf.d/10-master.conf
useradd --create-home ann
useradd --create-home bob
echo ann:secret | chpasswd
systemctl restart dovecot postfix nsd
systemctl is-active dovecot postfix nsd
END
    inside doveconf -n >/dev/null || fail 'Dovecot finds fault with its configuration'
    step 'stock Postfix and Dovecot, with a submission service'
}

install_packages() {
    local report
    # shellcheck disable=SC2046
    report=$(apt install $(debs /packages)) || { echo "$report" >&2; fail 'the packages are not installed'; }
    step 'the packages are installed'
}

# configuration: names, owners, modes and contents of all that setup may touch. Tables that
# newaliases(1) compiles count by what is in them.
configuration() {
    inside bash -c '
        cd /etc
        find postfix dovecot signet aliases systemd default -printf "%y %m %U %G %p %l\n" | sort
        find postfix dovecot signet aliases systemd default -type f -print0 | sort -z | xargs -0 sha256sum
        postalias -s hash:/etc/aliases | grep -v ^YP_ | sort
        systemctl list-unit-files --no-legend "signet*"
        find /var/lib -path "*signet*" -not -path "/var/lib/signet*" -not -path "/var/lib/dpkg*"'
}

remember_configuration() { configuration >"$scratch/before"; }

is_as_before() {
    configuration >"$scratch/after"
    diff "$scratch/before" "$scratch/after" >&2
}
