/* Makes a disk that syncs faster than people's disks do behave like theirs: every
   fsync sleeps SLOWSYNC_US microseconds more.
   cc -shared -fPIC -O2 -o slowsync.so slowsync.c -ldl */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void rest(void)
{
    static long us = -1;
    if (us < 0) {
        const char *said = getenv("SLOWSYNC_US");
        us = said ? atol(said) : 0;
    }
    if (us > 0)
        usleep(us);
}

#define SLOWER(name)                                       \
    int name(int fd)                                       \
    {                                                      \
        static int (*real)(int);                           \
        if (!real)                                         \
            real = (int (*)(int))dlsym(RTLD_NEXT, #name);  \
        int answer = real(fd);                             \
        rest();                                            \
        return answer;                                     \
    }

SLOWER(fsync)
SLOWER(fdatasync)
SLOWER(syncfs)
