#include "CCopy.h"

#if defined(__linux__) && defined(__x86_64__)

#include <dlfcn.h>
#include <stddef.h>

#ifndef RTLD_NEXT
#define RTLD_NEXT ((void *)-1l)
#endif

// Below glibc's x86_rep_movsb_threshold, 2112 bytes where vectors have 32.
enum { piece = 2048 };

typedef void *(*copy)(void *, const void *, size_t);

// The C library's own; the same value whoever finds it first.
static copy next;

void *memcpy(void *restrict destination, const void *restrict source, size_t count) {
    char *to = destination;
    const char *from = source;
    if (!next) next = (copy)dlsym(RTLD_NEXT, "memcpy");
    while (count > piece) {
        next(to, from, piece);
        to += piece;
        from += piece;
        count -= piece;
    }
    next(to, from, count);
    return destination;
}

#endif
