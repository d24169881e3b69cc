// One thread, one level-triggered epoll; each turn reads once, deals with it, and writes once.

#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "floor.h"

struct connection {
    int descriptor;
    void *state;
    /// The beginning of something whose end has not come.
    uint8_t *rest;
    size_t rest_count;
};

static const struct protocol *served;
static uint8_t buffer[4 << 20];
static struct answer answer;

static void end(struct connection *connection) {
    close(connection->descriptor);
    served->close(connection->state);
    free(connection->rest);
    free(connection);
}

static void keep(struct connection *connection, const uint8_t *octets, size_t count) {
    if (count == 0 && connection->rest_count == 0) return;
    free(connection->rest);
    connection->rest = NULL;
    connection->rest_count = count;
    if (count == 0) return;
    connection->rest = malloc(count);
    if (!connection->rest) exit(71);
    memcpy(connection->rest, octets, count);
}

/// One turn of a connection; returns 0 where it has ended.
static int turn(struct connection *connection) {
    size_t count = connection->rest_count;
    if (count > 0) memcpy(buffer, connection->rest, count);
    ssize_t received = recv(connection->descriptor, buffer + count, sizeof buffer - count, 0);
    if (received < 0 && errno == EAGAIN) return 1;
    if (received <= 0) return 0;
    count += (size_t)received;
    answer.count = 0;
    ptrdiff_t taken = served->take(connection->state, buffer, count, &answer);
    if (taken < 0) return 0;
    keep(connection, buffer + taken, count - (size_t)taken);
    if (answer.count == 0) return 1;
    ssize_t sent = send(connection->descriptor, answer.octets, answer.count, MSG_NOSIGNAL);
    return sent == (ssize_t)answer.count;
}

static int listen_on(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strncpy(name.sun_path, path, sizeof name.sun_path - 1);
    unlink(path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&name, sizeof name) != 0) exit(71);
    if (listen(listener, 1024) != 0) exit(71);
    return listener;
}

void serve(const char *path, const struct protocol *protocol) {
    served = protocol;
    int listener = listen_on(path);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0) exit(71);
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, -1);
        for (int index = 0; index < ready; index++) {
            struct connection *connection = events[index].data.ptr;
            if (connection) {
                if (!turn(connection)) end(connection);
                continue;
            }
            int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (descriptor < 0) continue;
            connection = calloc(1, sizeof *connection);
            if (!connection) exit(71);
            connection->descriptor = descriptor;
            connection->state = served->open();
            event.data.ptr = connection;
            if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0) exit(71);
        }
    }
}
