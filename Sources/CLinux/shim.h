// What the toolchain's Glibc module leaves out of the C library.
#include <malloc.h>
#include <stddef.h>
#include <sys/epoll.h>

// A watch for many descriptors (epoll(7)); its constants are macros and its event is a union, hence these
// functions.
static inline int signet_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

// Watches a descriptor until it can be read from once.
static inline int signet_epoll_watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

// Watches a descriptor for as long as it is open.
static inline int signet_epoll_keep_watching(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

// Watches it no longer.
static inline int signet_epoll_forget(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL);
}

// The next descriptor that can be read from; -1 when time is up, or errno says why not.
static inline int signet_epoll_next(int epoll, int milliseconds) {
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, milliseconds) == 1 ? event.data.fd : -1;
}
