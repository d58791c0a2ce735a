/* Timed input and output on a whole disk, past every cache of the guest, one operation at a time. */
#include "probe.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_MAX (1 << 20)
#define ALIGNMENT 4096

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* An order of blocks that is the same on every run and has no pattern that a disk would read ahead. */
static uint64_t mixed(uint64_t i)
{
    i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9ULL;
    i = (i ^ (i >> 27)) * 0x94d049bb133111ebULL;
    return i ^ (i >> 31);
}

void disk_io(const char *device, bool writes, bool random_order, long block, long count)
{
    uint64_t size = 0;
    char *buffer = NULL;
    int fd = open(device, (writes ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
    bool valid = fd >= 0 && ioctl(fd, BLKGETSIZE64, &size) == 0 && block >= 512 && block <= BLOCK_MAX
        && count >= 1 && count <= 1000000 && size >= (uint64_t)block
        && posix_memalign((void **)&buffer, ALIGNMENT, (size_t)block) == 0;
    if (!valid) {
        say("{\"error\":\"io needs a disk, a block of 512..1048576 bytes and a count 1..1000000\"}");
        if (fd >= 0)
            close(fd);
        return;
    }
    uint64_t blocks = size / (uint64_t)block;
    long done = 0;
    memset(buffer, 0x5a, (size_t)block);
    int64_t start = now_us();
    for (; done < count; done++) {
        uint64_t at = (random_order ? mixed((uint64_t)done) : (uint64_t)done) % blocks;
        off_t offset = (off_t)(at * (uint64_t)block);
        ssize_t moved = writes ? pwrite(fd, buffer, (size_t)block, offset) : pread(fd, buffer, (size_t)block, offset);
        if (moved != block)
            break;
    }
    bool flushed = !writes || fsync(fd) == 0;
    int64_t took = now_us() - start;
    close(fd);
    free(buffer);
    if (done < count || !flushed)
        say("{\"error\":\"the disk refused operation %ld of %ld\"}", done, count);
    else
        say("{\"us\":%lld}", (long long)took);
}
