/* Many questions at once: every item is asked, asked again after each timeout, and answered in the order given. */
#include "probe.h"
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ITEMS_MAX 512

enum kind { PING, TCP, UDP, ARP, ND };
enum why { PENDING, ANSWERED, TIMEOUT, REFUSED, UNREACHABLE, FAILED };

struct item {
    struct source source;
    enum kind kind;
    enum why why;
    bool connected;
    int family, port, attempts;
    union { struct in_addr v4; struct in6_addr v6; } address;
    int64_t asked, deadline, done;
    char token[TOKEN_MAX + 1], identity[128];
    unsigned char mac[6];
};

static struct item items[ITEMS_MAX];
static int item_count, pending, attempts_allowed;
static struct source ping4, ping6;

static void finish(struct item *item, enum why why)
{
    if (item->why != PENDING)
        return;
    if (why == UNREACHABLE && item->attempts < attempts_allowed)
        return; /* a link or a neighbour may be there at the next attempt */
    item->why = why;
    item->done = now_ms();
    pending--;
}

static void drop_socket(struct item *item)
{
    if (item->source.ready) {
        unwatch(&item->source);
        close(item->source.fd);
        item->source.ready = NULL;
    }
}

static enum why why_of(int error)
{
    return error == ECONNREFUSED ? REFUSED
        : error == EHOSTUNREACH || error == ENETUNREACH || error == EACCES || error == EPERM ? UNREACHABLE : FAILED;
}

static void echo_ready(struct source *source, uint32_t events)
{
    unsigned char packet[FRAME_MAX];
    struct sockaddr_storage from;
    (void)events;
    for (int budget = 64; budget > 0; budget--) {
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(source->fd, packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        if (got < 0)
            return;
        bool v4 = source == &ping4;
        size_t head = v4 ? (size_t)(packet[0] & 15) * 4 : 0;
        if ((size_t)got < head + 8 || packet[head] != (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
            continue;
        int index = packet[head + 4] << 8 | packet[head + 5];
        if (index >= item_count || items[index].kind != PING || items[index].family != (v4 ? AF_INET : AF_INET6))
            continue;
        const void *who = v4 ? (void *)&((struct sockaddr_in *)&from)->sin_addr
                             : (void *)&((struct sockaddr_in6 *)&from)->sin6_addr;
        char expected[TOKEN_MAX + 16];
        int length = snprintf(expected, sizeof expected, MARKER "%s\n", items[index].token);
        if (memcmp(who, &items[index].address, v4 ? 4 : 16) == 0 && (size_t)got >= head + 8 + (size_t)length
            && memcmp(packet + head + 8, expected, (size_t)length) == 0)
            finish(&items[index], ANSWERED);
    }
}

void sweep_neighbour_answer(int family, const void *address, const unsigned char *mac)
{
    for (int i = 0; i < item_count; i++)
        if (items[i].why == PENDING && items[i].family == family && (items[i].kind == ARP || items[i].kind == ND)
            && memcmp(&items[i].address, address, family == AF_INET ? 4 : 16) == 0) {
            memcpy(items[i].mac, mac, 6);
            finish(&items[i], ANSWERED);
        }
}

static socklen_t target(const struct item *item, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof *to);
    if (item->family == AF_INET) {
        struct sockaddr_in *four = (struct sockaddr_in *)to;
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)item->port);
        four->sin_addr = item->address.v4;
        return sizeof(struct sockaddr_in);
    }
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)item->port);
    six->sin6_addr = item->address.v6;
    return sizeof *six;
}

static void ask_echo(struct item *item)
{
    unsigned char packet[128] = { item->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST };
    struct sockaddr_storage to;
    item->port = 0;
    socklen_t size = target(item, &to);
    int index = (int)(item - items);
    packet[4] = (unsigned char)(index >> 8);
    packet[5] = (unsigned char)index;
    packet[7] = (unsigned char)item->attempts;
    size_t length = 8 + (size_t)snprintf((char *)packet + 8, sizeof packet - 8, MARKER "%s\n", item->token);
    if (item->family == AF_INET) {
        uint16_t sum = inet_checksum(packet, length, 0);
        memcpy(packet + 2, &sum, 2);
    }
    int fd = item->family == AF_INET ? ping4.fd : ping6.fd;
    if (sendto(fd, packet, length, MSG_DONTWAIT, (struct sockaddr *)&to, size) < 0)
        finish(item, why_of(errno));
}

static void socket_ready(struct source *source, uint32_t events)
{
    struct item *item = (struct item *)source;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        finish(item, why_of(error));
    } else if (item->kind == TCP && !item->connected && (events & EPOLLOUT)) {
        char line[TOKEN_MAX + 16];
        int length = snprintf(line, sizeof line, MARKER "%s\n", item->token);
        item->connected = true;
        (void)!send(source->fd, line, (size_t)length, MSG_NOSIGNAL);
        unwatch(source);
        watch(source, EPOLLIN);
        return;
    } else if (events & (EPOLLIN | EPOLLHUP)) {
        char line[256], token[TOKEN_MAX + 1] = "";
        ssize_t got = recv(source->fd, line, sizeof line - 1, MSG_DONTWAIT);
        line[got < 0 ? 0 : got] = 0;
        sscanf(line, "%127s %48[A-Za-z0-9._-]", item->identity, token);
        make_plain(item->identity);
        finish(item, got > 0 && strcmp(token, item->token) == 0 ? ANSWERED : FAILED);
    } else {
        return;
    }
    drop_socket(item);
}

static void ask_socket(struct item *item)
{
    struct sockaddr_storage to;
    char line[TOKEN_MAX + 16];
    socklen_t size = target(item, &to);
    drop_socket(item);
    item->connected = false;
    int fd = socket(item->family, (item->kind == TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, (struct sockaddr *)&to, size) != 0 && errno != EINPROGRESS)) {
        finish(item, why_of(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    item->source = (struct source){ fd, socket_ready };
    watch(&item->source, item->kind == TCP ? EPOLLOUT : EPOLLIN);
    if (item->kind == UDP) {
        int length = snprintf(line, sizeof line, MARKER "%s\n", item->token);
        (void)!send(fd, line, (size_t)length, MSG_NOSIGNAL);
    }
}

static void ask(struct item *item, int timeout_ms)
{
    int64_t now = now_ms();
    item->attempts++;
    item->deadline = now + timeout_ms;
    if (item->asked == 0)
        item->asked = now;
    if (item->kind == PING)
        ask_echo(item);
    else if (item->kind == TCP || item->kind == UDP)
        ask_socket(item);
    else if (item->kind == ARP ? !arp_request(item->address.v4, item->token)
                               : !neighbour_solicit(&item->address.v6, item->token))
        finish(item, UNREACHABLE);
}

static bool parse(char *text, struct item *item)
{
    static const char *const kinds[] = { "ping", "tcp", "udp", "arp", "nd" };
    char kind[8], address[INET6_ADDRSTRLEN];
    int end = 0;
    *item = (struct item){ .why = PENDING };
    int fields = sscanf(text, "%7[a-z0-9],%45[0-9a-fA-F.:],%d,%48[A-Za-z0-9._-]%n", kind, address, &item->port,
                        item->token, &end);
    if (fields != 4 || text[end] || item->port < 0 || item->port > 65535)
        return false;
    if (strcmp(kind, "ping6") == 0)
        kind[4] = 0;
    int at = 0;
    while (at < 5 && strcmp(kinds[at], kind) != 0)
        at++;
    item->kind = (enum kind)at;
    item->family = strchr(address, ':') ? AF_INET6 : AF_INET;
    return at < 5 && inet_pton(item->family, address, &item->address) == 1
        && !(item->kind == ARP && item->family != AF_INET) && !(item->kind == ND && item->family != AF_INET6)
        && ((item->kind == TCP || item->kind == UDP) == (item->port > 0));
}

static void report(const struct item *item)
{
    static const char *const words[] = { "timeout", "answered", "timeout", "refused", "unreachable", "failed" };
    const unsigned char *m = item->mac;
    const char *open = item->why == ANSWERED || item->connected ? "true" : "false";
    say("{\"open\":%s,\"why\":\"%s\",\"identity\":\"%s\",\"mac\":\"", open, words[item->why], item->identity);
    if (item->why == ANSWERED && (item->kind == ARP || item->kind == ND))
        say("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    say("\",\"ms\":%d}", (int)(item->done - item->asked));
}

static void open_echo(struct source *source, int family, int protocol)
{
    if (source->ready)
        return;
    *source = (struct source){ socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), echo_ready };
    if (source->fd >= 0)
        watch(source, EPOLLIN);
}

void sweep_run(int timeout_ms, int attempts, int count, char **texts, bool single)
{
    if (timeout_ms < 1 || timeout_ms > 30000 || attempts < 1 || attempts > 10 || count < 1 || count > ITEMS_MAX) {
        say("{\"error\":\"timeout 1..30000 ms, attempts 1..10, items 1..%d\"}", ITEMS_MAX);
        return;
    }
    item_count = 0;
    for (int i = 0; i < count; i++)
        if (!parse(texts[i], &items[i])) {
            say("{\"error\":\"item %d is not kind,address,port,token\"}", i);
            return;
        }
    open_echo(&ping4, AF_INET, IPPROTO_ICMP);
    open_echo(&ping6, AF_INET6, IPPROTO_ICMPV6);
    item_count = pending = count;
    attempts_allowed = attempts;
    for (int i = 0; i < count; i++) {
        ask(&items[i], timeout_ms);
        if (i % 16 == 15)
            pump(0); /* serve others while asking */
    }
    int64_t end = now_ms() + (int64_t)timeout_ms * attempts + 500;
    while (pending > 0 && now_ms() < end) {
        pump(20);
        for (int i = 0; i < count; i++)
            if (items[i].why == PENDING && now_ms() >= items[i].deadline) {
                if (items[i].attempts < attempts)
                    ask(&items[i], timeout_ms);
                else
                    finish(&items[i], TIMEOUT);
            }
    }
    if (!single)
        say("{\"results\":[");
    for (int i = 0; i < count; i++) {
        finish(&items[i], TIMEOUT);
        drop_socket(&items[i]);
        say("%s", i ? "," : "");
        report(&items[i]);
    }
    if (!single)
        say("]}");
    item_count = 0;
}
