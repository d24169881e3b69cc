// What the toolchain's Glibc module leaves out of the C library.
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

// epoll(7) and eventfd(2): their constants are macros and the event is a union, hence these functions.
static inline int signet_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

// Watches a descriptor until its next event: until it can be read from, or written to.
static inline int signet_epoll_watch_once(
    int epoll, int operation, int descriptor, int output, uint64_t id) {
    struct epoll_event event = {
        .events = (output ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT, .data = {.u64 = id}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}
static inline int signet_epoll_add(int epoll, int descriptor, uint64_t id) {
    return signet_epoll_watch_once(epoll, EPOLL_CTL_ADD, descriptor, 0, id);
}
static inline int signet_epoll_renew(int epoll, int descriptor, int output, uint64_t id) {
    return signet_epoll_watch_once(epoll, EPOLL_CTL_MOD, descriptor, output, id);
}

// Watches a descriptor for input for as long as it is open.
static inline int signet_epoll_add_lasting(int epoll, int descriptor, uint64_t id) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = id}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

// Watches it no longer.
static inline int signet_epoll_forget(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL);
}

// Waits for an event: 1, with its identifier, or what epoll_wait(2) returns otherwise.
static inline int signet_epoll_take(int epoll, int milliseconds, uint64_t *id) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, milliseconds);
    if (count == 1) *id = event.data.u64;
    return count;
}

// Whether all that was printed has been written: stdout is a variable, which Swift takes for unsafe.
static inline int signet_flush_output(void) { return fflush(stdout) == 0 && !ferror(stdout); }

static inline int signet_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void signet_eventfd_signal(int descriptor) { (void)eventfd_write(descriptor, 1); }

// accept4(2), which <sys/socket.h> declares with _GNU_SOURCE only.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
static inline int signet_accept(int descriptor) {
    return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

// The place of a file, which need not be one that can be opened (O_PATH, which <fcntl.h> declares
// with _GNU_SOURCE only).
static inline int signet_open_place(const char *path) { return open(path, __O_PATH | O_CLOEXEC); }

// memfd_create(2), which <sys/mman.h> declares with _GNU_SOURCE only: a file in memory that exec
// closes (MFD_CLOEXEC).
extern int memfd_create(const char *, unsigned int);
static inline int signet_memory_file(const char *name) { return memfd_create(name, 1U); }

// The name of the calling thread, of 15 octets at most (PR_SET_NAME): prctl(2) takes a variable number of arguments, which
// Swift does not call.
static inline void signet_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0L, 0L, 0L); }

// memmem(3), which the headers show to GNU sources alone.
void *memmem(const void *, size_t, const void *, size_t);
static inline const void *signet_find(
    const void *octets, size_t length, const void *wanted, size_t wanted_length) {
    return memmem(octets, length, wanted, wanted_length);
}
