/* The volume's canary (1 MiB from offset 0) and its boot counter (one sector at 1 MiB).
 * Prints "<boot number> <machine whose canary was found | ->": a volume that was never written shows no canary,
 * one that wandered to a stranger shows its former owner's. */
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANARY_BYTES (1 << 20)
#define SECTOR 512

int volume_main(const char *device, const char *name)
{
    static char canary[CANARY_BYTES], sector[SECTOR + 1];
    char found[128] = "-", line[SECTOR];
    unsigned long boot = 0;
    int fd = open(device, O_RDWR | O_CLOEXEC);
    if (fd < 0 || pread(fd, sector, SECTOR, 0) != SECTOR) {
        perror(device);
        return 1;
    }
    if (sscanf(sector, "CANARY %127s", found) != 1)
        strcpy(found, "-");
    make_plain(found);
    memset(sector, 0, sizeof sector);
    if (pread(fd, sector, SECTOR, CANARY_BYTES) == SECTOR && strncmp(sector, "BOOT ", 5) == 0)
        boot = strtoul(sector + 5, NULL, 10);

    for (int at = 0, row = 0; at < CANARY_BYTES; row++) {
        int length = snprintf(line, sizeof line, "CANARY %s the secret of this machine alone, row %d\n", name, row);
        int part = length < CANARY_BYTES - at ? length : CANARY_BYTES - at;
        memcpy(canary + at, line, (size_t)part);
        at += part;
    }
    memset(sector, 0, sizeof sector);
    snprintf(sector, SECTOR, "BOOT %lu\n", boot + 1);
    if (pwrite(fd, canary, CANARY_BYTES, 0) != CANARY_BYTES || pwrite(fd, sector, SECTOR, CANARY_BYTES) != SECTOR
        || fsync(fd) != 0) {
        perror(device);
        return 1;
    }
    printf("%lu %s\n", boot + 1, found);
    return 0;
}

void disk_line(const char *name, const char *line)
{
    static char block[4096] __attribute__((aligned(4096)));
    char path[32];
    if (strlen(name) != 3 || strncmp(name, "vd", 2) != 0 || name[2] < 'a' || name[2] > 'z') {
        say("{\"error\":\"a disk is called vda to vdz\"}");
        return;
    }
    snprintf(path, sizeof path, "/dev/%s", name);
    int fd = open(path, (line ? O_RDWR | O_SYNC : O_RDONLY) | O_DIRECT | O_CLOEXEC);
    bool done = fd >= 0;
    if (done && line) {
        memset(block, 0, sizeof block);
        snprintf(block, sizeof block, "%s\n", line);
        done = pwrite(fd, block, sizeof block, 0) == (ssize_t)sizeof block && fsync(fd) == 0;
    }
    done = done && pread(fd, block, sizeof block, 0) == (ssize_t)sizeof block;
    int problem = errno;
    if (fd >= 0)
        close(fd);
    if (!done) {
        say("{\"error\":\"%s: %s\"}", name, strerror(problem));
        return;
    }
    block[TOKEN_MAX] = 0;
    block[strcspn(block, "\n")] = 0;
    make_plain(block);
    say("{\"line\":\"%s\"}", block);
}
