// Carries TPM commands from a serial line to the TPM of this machine and the responses back, and tells the firmware's
// event log, so that a verifier outside can speak with the machine's TPM without a program of its own in here.
//   relay TTY TPM LOG
// A command is one of the TPM's (TPM 2.0 part 1, section 18), or the ten bytes of the tag 0xb007, size 10, code 0,
// which is answered by the same header with the size of header and log, and the log. Until the first command comes, it
// sends exclamation marks.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define HEADER 10
#define LARGEST 4096
#define LOG_TAG 0xb007

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void put(int fd, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno != EINTR)
            die("write");
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
}

static void get(int fd, uint8_t *bytes, size_t count)
{
    while (count > 0) {
        ssize_t have = read(fd, bytes, count);
        if (have < 0 && errno != EINTR)
            die("read");
        if (have > 0) {
            bytes += have;
            count -= (size_t)have;
        }
    }
}

static uint32_t number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void tell_log(int tty, const char *path)
{
    static uint8_t log[1 << 20];
    size_t size = 0;
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        die(path);
    for (;;) {
        ssize_t have = read(fd, log + size, sizeof log - size);
        if (have < 0)
            die(path);
        if (have == 0)
            break;
        size += (size_t)have;
    }
    close(fd);
    uint32_t whole = (uint32_t)(size + HEADER);
    uint8_t header[HEADER] = {
        LOG_TAG >> 8, LOG_TAG & 0xff, (uint8_t)(whole >> 24), (uint8_t)(whole >> 16), (uint8_t)(whole >> 8),
        (uint8_t)whole,
    };
    put(tty, header, HEADER);
    put(tty, log, size);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int tty = open(argv[1], O_RDWR | O_NOCTTY);
    int tpm = open(argv[2], O_RDWR);
    if (tty < 0 || tpm < 0)
        die(argv[tty < 0 ? 1 : 2]);
    struct termios line;
    if (tcgetattr(tty, &line) != 0)
        die(argv[1]);
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL;
    if (tcsetattr(tty, TCSANOW, &line) != 0)
        die(argv[1]);
    // Whoever connects learns by these marks that it is heard from now on.
    struct pollfd heard = {.fd = tty, .events = POLLIN};
    while (poll(&heard, 1, 250) == 0)
        put(tty, (const uint8_t *)"!", 1);
    for (;;) {
        uint8_t message[LARGEST];
        get(tty, message, HEADER);
        uint32_t size = number(message + 2);
        if (message[0] == LOG_TAG >> 8 && message[1] == (LOG_TAG & 0xff)) {
            tell_log(tty, argv[3]);
            continue;
        }
        if (size < HEADER || size > LARGEST)
            return 3;
        get(tty, message + HEADER, size - HEADER);
        put(tpm, message, size);
        ssize_t answer = read(tpm, message, sizeof message);
        if (answer < HEADER)
            die(argv[2]);
        put(tty, message, (size_t)answer);
    }
}
