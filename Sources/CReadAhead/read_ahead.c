#include "CReadAhead.h"

static _Thread_local struct read_ahead *current;

struct read_ahead *read_ahead_use(struct read_ahead *reader) {
    struct read_ahead *before = current;
    current = reader;
    return before;
}

#if defined(__linux__)

#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

// The same system calls by names that are not replaced here.
static ssize_t receive(int socket, void *bytes, size_t count, int flags) {
    return recvfrom(socket, bytes, count, flags, NULL, NULL);
}

extern int ppoll(struct pollfd *, nfds_t, const struct timespec *, const void *);

static int ask(struct pollfd *entries, nfds_t count, int milliseconds) {
    struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    return ppoll(entries, count, milliseconds < 0 ? NULL : &limit, NULL);
}

ssize_t recv(int socket, void *bytes, size_t count, int flags) {
    struct read_ahead *reader = current;
    if (!reader || reader->socket != socket || flags) return receive(socket, bytes, count, flags);
    if (reader->start == reader->end) {
        if (count >= reader->capacity) return receive(socket, bytes, count, flags);
        ssize_t received = receive(socket, reader->bytes, reader->capacity, flags);
        if (received <= 0) return received;
        reader->start = 0;
        reader->end = (size_t)received;
    }
    size_t left = reader->end - reader->start;
    if (count > left) count = left;
    if (reader->limit && count > reader->limit) count = reader->limit;
    memcpy(bytes, reader->bytes + reader->start, count);
    reader->start += count;
    return (ssize_t)count;
}

int poll(struct pollfd *entries, nfds_t count, int milliseconds) {
    struct read_ahead *reader = current;
    if (!reader || reader->start == reader->end) return ask(entries, count, milliseconds);
    nfds_t at = 0;
    while (at < count && (entries[at].fd != reader->socket || !(entries[at].events & POLLIN))) at++;
    if (at == count) return ask(entries, count, milliseconds);
    if (count == 1) {
        // Whether it can be written to is told when the buffer is empty: libssh asks that all along.
        entries[0].revents = POLLIN;
        return 1;
    }
    int ready = ask(entries, count, 0);
    if (ready < 0) return ready;
    if (!entries[at].revents) ready++;
    entries[at].revents |= POLLIN;
    return ready;
}

#endif
