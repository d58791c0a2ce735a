/* Sessions that stay: asked again and again over the same connection, ports or echo identifier, so that what was
 * established before a rule changed is told from what is opened after. */
#include "probe.h"
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSIONS_MAX 32
#define IDENTIFIER 0x4200 /* above those of a sweep */

struct session {
    struct source source;
    int type, family, number;
    bool ready, alive;
    struct sockaddr_storage peer;
    socklen_t peer_size;
};

static struct session sessions[SESSIONS_MAX];
static int session_count;
static char expected[TOKEN_MAX + 2];

/* Answers carry the token: "<identity> <token>\n" of servers, "BWCANARY:<token>\n" of echoes. */
static void session_ready(struct source *source, uint32_t events)
{
    struct session *session = (struct session *)source;
    char answer[FRAME_MAX];
    if (events & EPOLLOUT) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        session->ready = error == 0;
        unwatch(source);
        watch(source, EPOLLIN);
        return;
    }
    ssize_t got = recv(source->fd, answer, sizeof answer - 1, MSG_DONTWAIT);
    if (got <= 0) {
        if (session->type == SOCK_STREAM && (got == 0 || errno != EAGAIN)) {
            session->ready = false; /* ended: it would be told for ever */
            unwatch(source);
            source->ready = NULL;
        }
        return;
    }
    size_t head = 0;
    if (session->type == SOCK_RAW) {
        head = session->family == AF_INET ? (size_t)(answer[0] & 15) * 4 : 0;
        unsigned char reply = session->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
        if ((size_t)got < head + 8 || (unsigned char)answer[head] != reply || (unsigned char)answer[head + 4] != 0x42
            || (unsigned char)answer[head + 5] != session->number)
            return;
        head += 8;
    }
    answer[got] = 0;
    if (expected[0] && strstr(answer + head, expected))
        session->alive = true;
}

void session_hold(const char *kind, const char *address, int port, int timeout_ms)
{
    int type = !strcmp(kind, "tcp") ? SOCK_STREAM : !strcmp(kind, "udp") ? SOCK_DGRAM
        : !strcmp(kind, "ping") ? SOCK_RAW : 0;
    if (session_count == SESSIONS_MAX || type == 0 || timeout_ms < 1 || timeout_ms > 30000 || port < 0 || port > 65535
        || (port == 0) != (type == SOCK_RAW)) {
        say("{\"error\":\"hold needs tcp, udp or ping, an address, a port, 1..30000 ms, and fewer than 32 sessions\"}");
        return;
    }
    struct session *session = &sessions[session_count];
    *session = (struct session){ .type = type, .number = session_count };
    session->family = strchr(address, ':') ? AF_INET6 : AF_INET;
    int protocol = type != SOCK_RAW ? 0 : session->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    struct sockaddr_in *four = (struct sockaddr_in *)&session->peer;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&session->peer;
    session->peer.ss_family = (sa_family_t)session->family;
    bool known = session->family == AF_INET ? inet_pton(AF_INET, address, &four->sin_addr) == 1
                                            : inet_pton(AF_INET6, address, &six->sin6_addr) == 1;
    session->peer_size = session->family == AF_INET ? sizeof *four : sizeof *six;
    if (session->family == AF_INET)
        four->sin_port = htons((uint16_t)port);
    else
        six->sin6_port = htons((uint16_t)port);
    int fd = known ? socket(session->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol) : -1;
    if (fd < 0 || (connect(fd, (struct sockaddr *)&session->peer, session->peer_size) != 0 && errno != EINPROGRESS)) {
        say("{\"error\":\"no session with that address: %s\"}", strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    session->source = (struct source){ fd, session_ready };
    session->ready = type != SOCK_STREAM;
    watch(&session->source, type == SOCK_STREAM ? EPOLLOUT : EPOLLIN);
    int64_t end = now_ms() + timeout_ms;
    while (!session->ready && now_ms() < end)
        pump(20);
    if (!session->ready) {
        unwatch(&session->source);
        close(fd);
        say("{\"error\":\"the connection was not made in time\"}");
        return;
    }
    session_count++;
    say("{\"session\":%d}", session->number);
}

static void ask(struct session *session, const char *token)
{
    unsigned char packet[128] = { 0 };
    size_t head = session->type == SOCK_RAW ? 8 : 0;
    size_t length = head + (size_t)snprintf((char *)packet + head, sizeof packet - head, MARKER "%s%s\n", token,
                                            session->type == SOCK_STREAM ? " more" : "");
    if (session->type == SOCK_RAW) {
        packet[0] = session->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
        packet[4] = IDENTIFIER >> 8;
        packet[5] = (unsigned char)session->number;
        if (session->family == AF_INET) {
            uint16_t sum = inet_checksum(packet, length, 0);
            memcpy(packet + 2, &sum, 2);
        }
    }
    (void)!send(session->source.fd, packet, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void session_beat(int timeout_ms, const char *token)
{
    if (timeout_ms < 1 || timeout_ms > 30000) {
        say("{\"error\":\"timeout 1..30000 ms\"}");
        return;
    }
    snprintf(expected, sizeof expected, "%s\n", token);
    int waiting = 0;
    for (int i = 0; i < session_count; i++) {
        sessions[i].alive = false;
        if (sessions[i].source.ready) {
            ask(&sessions[i], token);
            waiting++;
        }
    }
    for (int64_t end = now_ms() + timeout_ms; waiting > 0 && now_ms() < end;) {
        pump(20);
        waiting = 0;
        for (int i = 0; i < session_count; i++)
            waiting += sessions[i].source.ready && !sessions[i].alive;
    }
    expected[0] = 0;
    say("{\"alive\":[");
    for (int i = 0; i < session_count; i++)
        say("%s%s", i ? "," : "", sessions[i].alive ? "true" : "false");
    say("]}");
}

void session_release(void)
{
    for (int i = 0; i < session_count; i++) {
        if (sessions[i].source.ready)
            unwatch(&sessions[i].source);
        close(sessions[i].source.fd);
    }
    session_count = 0;
}
