/* The volume's canary (1 MiB from offset 0) and its boot counter (one sector at 1 MiB).
 * Prints "<boot number> <machine whose canary was found | ->": a volume that was never written shows no canary,
 * one that wandered to a stranger shows its former owner's. */
#include "probe.h"
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
