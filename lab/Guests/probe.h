/* Shared by the parts of the guest's probe program; the protocol is described at the top of probe.c. */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#define MARKER "BWCANARY:"
#define TOKEN_MAX 48
#define NICS_MAX 8
#define LINE_MAX_BYTES 65536
#define FRAME_MAX 2048

/* Something the event loop waits for. */
struct source {
    int fd;
    void (*ready)(struct source *self, uint32_t events);
};

struct nic {
    char name[IF_NAMESIZE];
    int index;
    unsigned char mac[6];
    struct in_addr ip4, mask4;
    struct in6_addr ip6;
    bool has4, has6;
};

extern const char *machine;
extern struct nic nics[NICS_MAX];
extern int nic_count;

/* probe.c: the loop, and the answer under construction (bounded; an overflow becomes an error answer). */
void watch(struct source *source, uint32_t events);
void unwatch(struct source *source);
void pump(int timeout_ms);
int64_t now_ms(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool token_valid(const char *text);
void make_plain(char *text);

/* frames.c: raw frames out, every frame in. */
void nics_load(void);
void capture_open(void);
void capture_report(void);
void capture_forget(void);
bool frame_send(const struct nic *nic, const unsigned char *frame, size_t length);
bool arp_request(struct in_addr target, const char *token);
bool neighbour_solicit(const struct in6_addr *target, const char *token);
int shout(const char *token);
uint16_t inet_checksum(const void *data, size_t length, uint32_t sum);

/* io.c: a disk's speed. */
void disk_io(const char *device, bool writes, bool random_order, long block, long count);

/* sweep.c: many questions at once. */
void sweep_run(int timeout_ms, int attempts, int count, char **items, bool single);
void sweep_neighbour_answer(int family, const void *address, const unsigned char *mac);

/* sessions.c: sessions that stay. */
void session_hold(const char *kind, const char *address, int port, int timeout_ms);
void session_beat(int timeout_ms, const char *token);
void session_release(void);

/* serve.c: what this machine answers. */
const char *listen_on(const char *kind, int port);

/* names.c: who has a name, by the server that this machine was told of. */
void name_resolve(const char *name, int timeout_ms);

/* volume.c: `probe volume <device> <machine>`, and the first line of a disk, read, or written unless null. */
void disk_line(const char *name, const char *line);
int volume_main(const char *device, const char *name);
