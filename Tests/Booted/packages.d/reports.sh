# shellcheck shell=bash disable=SC2154
# The reports of others: mail with one is imported by its unit, and the timer sends the summary.
#
# Sourced by Tests/Booted/packages.

# report_comes ID: mail with an aggregate report about example.org reaches the machine, in which a message passed.
report_comes() {
    local begin
    begin=$(date --utc --date yesterday +%s)
    begin=$((begin - begin % 86400))
    inside sendmail -f reports@reporter.example dmarc-reports <<MAIL
From: reports@reporter.example
To: dmarc-reports@localhost
Subject: Report Domain: example.org Submitter: reporter.example Report-ID: <$1>
Date: $(date --rfc-email)
MIME-Version: 1.0
Content-Type: text/xml

<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <report_metadata>
    <org_name>reporter.example</org_name>
    <email>reports@reporter.example</email>
    <report_id>$1</report_id>
    <date_range><begin>$begin</begin><end>$((begin + 86399))</end></date_range>
  </report_metadata>
  <policy_published><domain>example.org</domain><p>none</p></policy_published>
  <record>
    <row>
      <source_ip>$outsider</source_ip>
      <count>1</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated>
    </row>
    <identifiers><header_from>example.org</header_from></identifiers>
    <auth_results><dkim><domain>example.org</domain><selector>mail</selector><result>pass</result></dkim></auth_results>
  </record>
</feedback>
MAIL
}

# reported COUNT: whether so many messages were reported.
reported() {
    inside signet report show example.org --json >"$scratch/reported" 2>/dev/null &&
        [ "$(python3 -c 'import json, sys
print(sum(domain["messages"] for domain in json.load(sys.stdin)["domains"]))' <"$scratch/reported")" = "$1" ]
}

aside() { inside sh -c 'ls /var/lib/signet-reports/received.db.aside/unauthenticated 2>/dev/null' | grep . >/dev/null; }

said_aside() {
    inside journalctl --quiet --no-pager --unit signet-reports-import.service --output cat |
        grep --fixed-strings 'kept aside: 1; the first: ' >/dev/null
}

summaries() { grep -rls '^Auto-Submitted: auto-generated' "$(maildir)/new" | wc -l; }

reports_failed() {
    inside journalctl --no-pager --unit signet-reports-import.service --unit signet-reports-mail.service >&2
    fail "$1"
}

# reports_are_taken_and_told: as operating.md describes it.
reports_are_taken_and_told() {
    local attempt before count
    inside sh -c "echo 'dmarc-reports: signet-reports' >>/etc/aliases && newaliases" ||
        fail 'there is no alias'
    # As root, before the first one comes.
    inside signet report import --any-domain /usr/share/doc/signet-tools >/dev/null 2>&1
    inside systemctl enable --now signet-reports-import.path 2>/dev/null ||
        fail 'signet-reports-import.path cannot be enabled'
    # More runs, one after the other, than systemd lets a service start by default.
    for count in $(seq 7); do
        report_comes "report-$count" || fail 'mail with a report is not taken'
        eventually reported "$count" || reports_failed 'a report that came by mail is not imported'
    done
    [ "$(inside stat -c %U /var/lib/signet-reports/received.db)" = signet-reports ] ||
        fail 'the store of reports is not the unit'"'"'s'
    # One whose sender no results field vouches for.
    printf '%s\n' MAILTO=bob@localhost IMPORT_OPTIONS=--authserv-id=mx.example.org \
        >"$(outside_path /etc/default/signet-reports)"
    report_comes unauthenticated || fail 'mail with a report is not taken'
    eventually aside || reports_failed 'an unauthenticated report is not kept aside'
    eventually said_aside || reports_failed 'the journal does not say what was kept aside'
    reported 7 || reports_failed 'an unauthenticated report counts'
    before=$(summaries)
    often signet-reports-mail.timer 2
    for attempt in $(seq 300); do
        [ "$(summaries)" -eq "$before" ] || break
        sleep 0.1
    done
    [ "$(summaries)" -gt "$before" ] || reports_failed 'the timer sends no summary'
    often_no_more signet-reports-mail.timer
    inside systemctl disable --now signet-reports-import.path 2>/dev/null
    inside rm /etc/default/signet-reports
    step 'reports that came by mail were imported, another kept aside, and the timer sent the summary'
}
