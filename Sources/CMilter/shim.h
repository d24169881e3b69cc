// libmilter's header uses bool without including it.
#include <stdbool.h>
#include <libmilter/mfapi.h>

// libmilter takes `char *` for text that it only reads, and a variable argument list for replies of
// several lines. These wrappers give the calls that LibmilterTransport makes const-correct, fixed signatures.

static inline char *milter_macro(SMFICTX *context, const char *name) {
    return smfi_getsymval(context, (char *)name);
}

static inline int milter_request_macros(SMFICTX *context, int stage, const char *names) {
    return smfi_setsymlist(context, stage, (char *)names);
}

static inline int milter_set_connection(const char *connection) {
    return smfi_setconn((char *)connection);
}

// The most lines that smfi_setmlreply takes (MAXREPLIES in libmilter).
#define MILTER_REPLY_LINES 32

// `text` holds `count` lines one after another, each ended by a NUL.
static inline int milter_set_reply_lines(
    SMFICTX *context, const char *code, const char *enhanced, const char *text, int count) {
    const char *line[MILTER_REPLY_LINES] = {0};
    for (int i = 0; i < count && i < MILTER_REPLY_LINES; i++) {
        line[i] = text;
        text += __builtin_strlen(text) + 1;
    }
    // The first null pointer ends the list.
    return smfi_setmlreply(
        context, code, enhanced, line[0], line[1], line[2], line[3], line[4], line[5], line[6],
        line[7], line[8], line[9], line[10], line[11], line[12], line[13], line[14], line[15],
        line[16], line[17], line[18], line[19], line[20], line[21], line[22], line[23], line[24],
        line[25], line[26], line[27], line[28], line[29], line[30], line[31], (const char *)0);
}

static inline int milter_insert_header(
    SMFICTX *context, int index, const char *name, const unsigned char *value) {
    return smfi_insheader(context, index, (char *)name, (char *)value);
}

static inline int milter_add_header(SMFICTX *context, const char *name, const unsigned char *value) {
    return smfi_addheader(context, (char *)name, (char *)value);
}

static inline int milter_change_header(
    SMFICTX *context, const char *name, int occurrence, const unsigned char *value) {
    return smfi_chgheader(context, (char *)name, occurrence, (char *)value);
}

static inline int milter_quarantine(SMFICTX *context, const char *reason) {
    return smfi_quarantine(context, (char *)reason);
}

static inline int milter_add_recipient(SMFICTX *context, const char *address) {
    return smfi_addrcpt(context, (char *)address);
}

static inline int milter_delete_recipient(SMFICTX *context, const char *address) {
    return smfi_delrcpt(context, (char *)address);
}

static inline int milter_change_sender(
    SMFICTX *context, const char *address, const char *parameters) {
    return smfi_chgfrom(context, (char *)address, (char *)parameters);
}
