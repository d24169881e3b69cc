// A filter that does nothing: what libmilter itself costs, for the events that one of our daemons asks for.
//
//     NullFilter SOCKET                    the events of signet-dkim
//     NullFilter SOCKET --header [FIELD…]  those of signet-scrub; deletes the fields without having looked
//
// It agrees to the same events with the same no-reply flags, so that the MTA sends it the same
// conversation, and it answers end of message alone.

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <libmilter/mfapi.h>

static bool headerOnly;
static char **fields;

static sfsistat negotiate(
    SMFICTX *context, unsigned long actions, unsigned long offered, unsigned long reserved0,
    unsigned long reserved1, unsigned long *agreedActions, unsigned long *agreed,
    unsigned long *agreed0, unsigned long *agreed1) {
    unsigned long unsent = headerOnly ? SMFIP_NOEOH | SMFIP_NOBODY : 0;
    *agreedActions = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE);
    *agreed = (offered
               & (SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_SKIP
                  | SMFIP_HDR_LEADSPC | unsent))
              | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA
              | SMFIP_NR_UNKN | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;
    *agreed0 = 0;
    *agreed1 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *context, char *host, _SOCK_ADDR *address) {
    return SMFIS_NOREPLY;
}

static sfsistat on_mail(SMFICTX *context, char **arguments) { return SMFIS_NOREPLY; }

static sfsistat on_header(SMFICTX *context, char *name, char *value) { return SMFIS_NOREPLY; }

static sfsistat on_end_of_header(SMFICTX *context) { return SMFIS_NOREPLY; }

static sfsistat on_body(SMFICTX *context, unsigned char *chunk, size_t length) {
    return SMFIS_NOREPLY;
}

static sfsistat on_end_of_message(SMFICTX *context) {
    for (char **field = fields; *field; field++) smfi_chgheader(context, *field, 1, NULL);
    return SMFIS_CONTINUE;
}

int main(int count, char **arguments) {
    struct smfiDesc filter = {
        .xxfi_name = "null",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE,
        .xxfi_negotiate = negotiate,
        .xxfi_connect = on_connect,
        .xxfi_envfrom = on_mail,
        .xxfi_header = on_header,
        .xxfi_eoh = on_end_of_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_end_of_message,
    };
    headerOnly = count > 2 && strcmp(arguments[2], "--header") == 0;
    fields = arguments + (headerOnly ? 3 : count);
    if (count < 2 || (count > 2 && !headerOnly) || smfi_register(filter) != MI_SUCCESS) return 64;
    if (smfi_setconn(arguments[1]) != MI_SUCCESS) return 64;
    smfi_setmaxdatasize(1024 * 1024 - 1);
    return smfi_main() == MI_SUCCESS ? 0 : 70;
}
