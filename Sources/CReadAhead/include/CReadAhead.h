// Reads a socket in long pieces for libssh, which asks for 4 KiB at a time and polls before each
// (priv.h MAX_BUF_SIZE, socket.c ssh_socket_pollcallback): 490 system calls per MB.
//
// The program's own `recv` and `poll` stand before the C library's and answer for one socket from
// a buffer; for every other descriptor, and on systems where a program's symbols do not reach its
// libraries, they change nothing.
#ifndef EC2SH_CREADAHEAD_H
#define EC2SH_CREADAHEAD_H

#include <stddef.h>

// What was read from a socket and not yet asked for: bytes[start..<end].
struct read_ahead {
    int socket;
    unsigned char *bytes;
    size_t capacity;
    size_t start;
    size_t end;
    // The most that one call gives; 0 for no limit.
    size_t limit;
};

// Makes this thread's calls read ahead; NULL stops that. Returns what held before.
struct read_ahead *read_ahead_use(struct read_ahead *reader);

#endif
