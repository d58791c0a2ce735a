/* Who has a name: one question for an IPv4 address (RFC 1035) to the server that this machine was told of. */
#include "probe.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD 12
#define LABEL_MAX 63
#define QUESTION_MAX 300

/* The question's bytes; 0 for what is no name. */
static size_t question(unsigned char *out, uint16_t id, const char *name)
{
    static const unsigned char ending[] = { 0, 0, 1, 0, 1 }; /* the root, an address, of the Internet */
    const unsigned char head[HEAD] = { (unsigned char)(id >> 8), (unsigned char)id, 1, 0, 0, 1 };
    size_t at = HEAD;
    memcpy(out, head, HEAD);
    while (*name) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > LABEL_MAX || at + 1 + label + sizeof ending > QUESTION_MAX)
            return 0;
        out[at++] = (unsigned char)label;
        memcpy(out + at, name, label);
        at += label;
        name += label + (name[label] == '.');
    }
    memcpy(out + at, ending, sizeof ending);
    return at + sizeof ending;
}

static size_t name_end(const unsigned char *answer, size_t length, size_t at)
{
    while (at < length && answer[at] != 0 && answer[at] < 0xc0)
        at += 1u + answer[at];
    return at + (at < length && answer[at] >= 0xc0 ? 2 : 1);
}

/* The first address of an answer, or an empty text. */
static void first_address(const unsigned char *answer, size_t length, size_t at, char *out)
{
    for (int left = answer[6] << 8 | answer[7]; left > 0; left--) {
        at = name_end(answer, length, at);
        if (at + 10 > length)
            return;
        size_t size = (size_t)(answer[at + 8] << 8 | answer[at + 9]);
        if (at + 10 + size > length)
            return;
        if (answer[at] == 0 && answer[at + 1] == 1 && size == 4) {
            inet_ntop(AF_INET, answer + at + 10, out, INET_ADDRSTRLEN);
            return;
        }
        at += 10 + size;
    }
}

static int server_open(void)
{
    char text[INET_ADDRSTRLEN] = "";
    struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(53) };
    FILE *file = fopen("/etc/resolv.conf", "re");
    bool told = file && fscanf(file, "nameserver %15s", text) == 1;
    if (file)
        fclose(file);
    if (!told || inet_pton(AF_INET, text, &server.sin_addr) != 1)
        return -1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&server, sizeof server) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void name_resolve(const char *name, int timeout_ms)
{
    unsigned char asked[QUESTION_MAX], answer[FRAME_MAX];
    char address[INET_ADDRSTRLEN] = "";
    int64_t end = now_ms() + timeout_ms;
    size_t length = question(asked, (uint16_t)end, name);
    int code = -1, fd = server_open();
    if (fd >= 0 && length > 0 && send(fd, asked, length, MSG_NOSIGNAL) == (ssize_t)length)
        while (code < 0 && now_ms() < end) {
            ssize_t got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
            if (got >= (ssize_t)length && memcmp(answer, asked, 2) == 0) {
                code = answer[3] & 15;
                first_address(answer, (size_t)got, length, address);
            } else {
                pump(5);
            }
        }
    if (fd >= 0)
        close(fd);
    say("{\"code\":%d,\"address\":\"%s\"}", code, address);
}
