// libmilter's header uses bool without including it.
#include <stdbool.h>
#include <libmilter/mfapi.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// libmilter takes `char *` for text that it only reads, and a variable argument list for replies of
// several lines. These wrappers give the calls that Milter makes const-correct, fixed signatures.

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

// System calls as the system has them: Milter answers libmilter's own calls of the same names.

static inline long milter_system_writev(int descriptor, const struct iovec *vectors, int count) {
    return syscall(SYS_writev, descriptor, vectors, count);
}

static inline long milter_system_read(int descriptor, void *space, size_t count) {
    return syscall(SYS_read, descriptor, space, count);
}

static inline int milter_system_accept(
    int descriptor, struct sockaddr *address, socklen_t *length) {
    return (int)syscall(SYS_accept4, descriptor, address, length, 0);
}

static inline int milter_system_close(int descriptor) {
    return (int)syscall(SYS_close, descriptor);
}

// Not every architecture has SYS_poll, and some have a ppoll(2) of 32-bit times beside this one.
#ifndef SYS_ppoll_time64
#define SYS_ppoll_time64 SYS_ppoll
#endif
static inline int milter_system_poll(struct pollfd *entries, unsigned long count, int timeout) {
    struct __kernel_timespec time = {timeout / 1000, timeout % 1000 * 1000000L};
    return (int)syscall(SYS_ppoll_time64, entries, count, timeout < 0 ? NULL : &time, NULL, 0);
}
