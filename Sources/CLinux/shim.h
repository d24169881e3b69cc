// What the toolchain's Glibc module leaves out of the C library.
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

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
static inline int signet_epoll_take(int epoll, uint64_t *id) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, -1);
    if (count == 1) *id = event.data.u64;
    return count;
}

static inline int signet_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void signet_eventfd_signal(int descriptor) { (void)eventfd_write(descriptor, 1); }

// accept4(2), which <sys/socket.h> declares with _GNU_SOURCE only.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
static inline int signet_accept(int descriptor) {
    return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

// dl_iterate_phdr(3), which <link.h> declares with _GNU_SOURCE only, under which this module's types would not be those of Glibc.
struct signet_object {
    ElfW(Addr) dlpi_addr;
    const char *dlpi_name;
    const ElfW(Phdr) *dlpi_phdr;
    ElfW(Half) dlpi_phnum;
};
extern int signet_iterate_objects(
    int (*visit)(struct signet_object *, size_t, void *), void *data) __asm__("dl_iterate_phdr");

// Whether the dynamic linker has changed what cannot be written to.
static inline int signet_has_text_relocations(const struct signet_object *object) {
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
        const ElfW(Dyn) *entry =
            (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_TEXTREL) return 1;
            if (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL) return 1;
        }
    }
    return 0;
}

// Drops the pages of an object's segments that cannot be written to: what is used of them is mapped anew from its file. What the
// dynamic linker relocates, and may protect later, is in segments that can be written to.
static inline int signet_drop_segments(struct signet_object *object, size_t size, void *unused) {
    (void)size, (void)unused;
    // The system's own object (vdso(7)) is no file; the program has no name.
    if (object->dlpi_name[0] != '/' && object->dlpi_name[0] != '\0') return 0;
    if (signet_has_text_relocations(object)) return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        size_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~(page - 1);
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

// Drops them for all objects, while the dynamic linker lets none come or go.
static inline void signet_drop_file_pages(void) { signet_iterate_objects(signet_drop_segments, NULL); }
