/* What this machine answers: "<identity> <token>\n" to every "BWCANARY:<token>\n" on the ports it listens on. A
 * connection is closed after the answer, unless the line ends with " more". */
#include "probe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS_MAX 64
#define CLIENTS_MAX 128
#define REQUEST_MAX 128

struct listener { struct source source; int port; int type; };
struct client { struct source source; size_t length; char request[REQUEST_MAX]; };

static struct listener listeners[LISTENERS_MAX];
static int listener_count;
static struct client clients[CLIENTS_MAX];
static int client_next;

static int answer(const char *request, char *out, size_t room)
{
    char token[TOKEN_MAX + 1] = "";
    /* What was kept back on the way may arrive together: the last question counts. */
    for (const char *at = request; (at = strstr(at, MARKER)); at++)
        sscanf(at + strlen(MARKER), "%48[A-Za-z0-9._-]", token);
    return snprintf(out, room, "%s %s\n", machine, token);
}

static void client_close(struct client *client)
{
    if (client->source.fd < 0 || !client->source.ready)
        return;
    unwatch(&client->source);
    close(client->source.fd);
    client->source.fd = -1;
    client->source.ready = NULL;
}

static void client_ready(struct source *source, uint32_t events)
{
    struct client *client = (struct client *)source;
    (void)events;
    ssize_t got = read(source->fd, client->request + client->length, REQUEST_MAX - 1 - client->length);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got > 0)
        client->length += (size_t)got;
    client->request[client->length] = 0;
    if (got > 0 && !strchr(client->request, '\n') && client->length < REQUEST_MAX - 1)
        return;
    if (client->length > 0) {
        char out[256];
        int length = answer(client->request, out, sizeof out);
        (void)!send(source->fd, out, (size_t)length, MSG_NOSIGNAL);
    }
    bool more = got > 0 && strstr(client->request, " more\n");
    client->length = 0;
    if (!more)
        client_close(client);
}

static void tcp_ready(struct source *source, uint32_t events)
{
    (void)events;
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct client *client = &clients[client_next]; /* the oldest gives way */
    client_next = (client_next + 1) % CLIENTS_MAX;
    client_close(client);
    client->source = (struct source){ fd, client_ready };
    client->length = 0;
    watch(&client->source, EPOLLIN);
}

static void udp_ready(struct source *source, uint32_t events)
{
    char request[REQUEST_MAX], out[256];
    struct sockaddr_in6 from;
    socklen_t size = sizeof from;
    (void)events;
    ssize_t got = recvfrom(source->fd, request, sizeof request - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (got <= 0)
        return;
    request[got] = 0;
    int length = answer(request, out, sizeof out);
    sendto(source->fd, out, (size_t)length, MSG_DONTWAIT, (struct sockaddr *)&from, size);
}

/* NULL when the machine now listens (again), else why not. */
const char *listen_on(const char *kind, int port)
{
    int type = strcmp(kind, "tcp") == 0 ? SOCK_STREAM : strcmp(kind, "udp") == 0 ? SOCK_DGRAM : 0;
    if (type == 0 || port < 1 || port > 65535)
        return "listen needs tcp or udp, and a port 1..65535";
    for (int i = 0; i < listener_count; i++)
        if (listeners[i].port == port && listeners[i].type == type)
            return NULL;
    if (listener_count == LISTENERS_MAX)
        return "64 listeners are the limit";
    int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, off = 0;
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_any };
    if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || bind(fd, (struct sockaddr *)&any, sizeof any) != 0 || (type == SOCK_STREAM && listen(fd, 64) != 0)) {
        const char *why = strerror(errno);
        if (fd >= 0)
            close(fd);
        return why;
    }
    struct listener *listener = &listeners[listener_count++];
    *listener = (struct listener){ { fd, type == SOCK_STREAM ? tcp_ready : udp_ready }, port, type };
    watch(&listener->source, EPOLLIN);
    return NULL;
}
