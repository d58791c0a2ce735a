/* Raw frames out, and every frame in: leaks are found at the receiver, not by replies. */
#include "probe.h"
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROWS_MAX 512

struct row { int nic; unsigned long count; char token[TOKEN_MAX + 1]; unsigned char mac[6]; };

struct nic nics[NICS_MAX];
int nic_count;
static struct source capture;
static struct row tokens[ROWS_MAX], senders[ROWS_MAX];
static int token_count, sender_count;
static unsigned long frames_in, rows_lost;

uint16_t inet_checksum(const void *data, size_t length, uint32_t sum)
{
    const unsigned char *at = data;
    for (; length > 1; at += 2, length -= 2)
        sum += (uint32_t)(at[0] << 8 | at[1]);
    if (length)
        sum += (uint32_t)(at[0] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static struct nic *nic_named(const char *name)
{
    for (int i = 0; i < nic_count; i++)
        if (strcmp(nics[i].name, name) == 0)
            return &nics[i];
    return NULL;
}

void nics_load(void)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return;
    nic_count = 0;
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        if (!one->ifa_addr || (one->ifa_flags & IFF_LOOPBACK))
            continue;
        struct nic *nic = nic_named(one->ifa_name);
        if (one->ifa_addr->sa_family == AF_PACKET && !nic && nic_count < NICS_MAX) {
            struct sockaddr_ll *link = (struct sockaddr_ll *)one->ifa_addr;
            nic = &nics[nic_count++];
            *nic = (struct nic){ .index = link->sll_ifindex };
            snprintf(nic->name, sizeof nic->name, "%s", one->ifa_name);
            memcpy(nic->mac, link->sll_addr, 6);
        } else if (one->ifa_addr->sa_family == AF_INET && nic) {
            nic->ip4 = ((struct sockaddr_in *)one->ifa_addr)->sin_addr;
            nic->mask4 = ((struct sockaddr_in *)one->ifa_netmask)->sin_addr;
            nic->has4 = true;
        } else if (one->ifa_addr->sa_family == AF_INET6 && nic) {
            struct in6_addr *ip = &((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(ip) && nic->has6)
                continue;
            nic->ip6 = *ip;
            nic->has6 = true;
        }
    }
    freeifaddrs(all);
}

static void count_row(struct row *rows, int *used, int nic, const char *token, const unsigned char *mac)
{
    for (int i = 0; i < *used; i++)
        if (rows[i].nic == nic && strcmp(rows[i].token, token) == 0 && memcmp(rows[i].mac, mac, 6) == 0) {
            rows[i].count++;
            return;
        }
    if (*used == ROWS_MAX) {
        rows_lost++;
        return;
    }
    struct row *row = &rows[(*used)++];
    *row = (struct row){ .nic = nic, .count = 1 };
    snprintf(row->token, sizeof row->token, "%s", token);
    memcpy(row->mac, mac, 6);
}

/* An ARP reply or a neighbour advertisement may be what a sweep waits for. */
static void neighbour_learn(const unsigned char *frame, size_t length)
{
    uint16_t type = (uint16_t)(frame[12] << 8 | frame[13]);
    if (type == ETHERTYPE_ARP && length >= 42 && frame[20] == 0 && frame[21] == 2)
        sweep_neighbour_answer(AF_INET, frame + 28, frame + 22);
    if (type == ETHERTYPE_IPV6 && length >= 78 && frame[20] == IPPROTO_ICMPV6 && frame[54] == ND_NEIGHBOR_ADVERT)
        sweep_neighbour_answer(AF_INET6, frame + 62, length >= 86 && frame[78] == 2 ? frame + 80 : frame + 6);
}

static void capture_ready(struct source *source, uint32_t events)
{
    static const unsigned char no_mac[6];
    unsigned char frame[FRAME_MAX];
    (void)events;
    for (int budget = 256; budget > 0; budget--) {
        struct sockaddr_ll from;
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(source->fd, frame, sizeof frame, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        if (got < 0)
            return;
        int nic = -1;
        for (int i = 0; i < nic_count; i++)
            if (nics[i].index == from.sll_ifindex)
                nic = i;
        if (from.sll_pkttype == PACKET_OUTGOING || nic < 0 || got < 14)
            continue;
        frames_in++;
        count_row(senders, &sender_count, nic, "", frame + 6);
        unsigned char *at = memmem(frame, (size_t)got, MARKER, strlen(MARKER));
        if (at) {
            char token[TOKEN_MAX + 1] = "", tail[TOKEN_MAX + 1];
            size_t left = (size_t)got - (size_t)(at - frame) - strlen(MARKER);
            size_t part = left < TOKEN_MAX ? left : TOKEN_MAX;
            memcpy(tail, at + strlen(MARKER), part);
            tail[part] = 0;
            sscanf(tail, "%48[A-Za-z0-9._-]", token);
            count_row(tokens, &token_count, nic, token, no_mac);
        }
        neighbour_learn(frame, (size_t)got);
    }
}

void capture_open(void)
{
    int room = 4 << 20;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
    capture = (struct source){ fd, capture_ready };
    if (capture.fd < 0)
        return;
    setsockopt(capture.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    for (int i = 0; i < nic_count; i++) {
        struct packet_mreq all = { .mr_ifindex = nics[i].index, .mr_type = PACKET_MR_PROMISC };
        setsockopt(capture.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
    }
    watch(&capture, EPOLLIN);
}

void capture_forget(void)
{
    capture_ready(&capture, EPOLLIN);
    token_count = sender_count = 0;
    frames_in = rows_lost = 0;
}

void capture_report(void)
{
    struct tpacket_stats kernel = { 0 };
    socklen_t size = sizeof kernel;
    capture_ready(&capture, EPOLLIN);
    getsockopt(capture.fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &size);
    say("{\"frames\":%lu,\"lost\":%lu,\"tokens\":[", frames_in, rows_lost + kernel.tp_drops);
    for (int i = 0; i < token_count; i++)
        say("%s{\"nic\":\"%s\",\"token\":\"%s\",\"count\":%lu}", i ? "," : "", nics[tokens[i].nic].name,
            tokens[i].token, tokens[i].count);
    say("],\"senders\":[");
    for (int i = 0; i < sender_count; i++) {
        const unsigned char *m = senders[i].mac;
        say("%s{\"nic\":\"%s\",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"count\":%lu}", i ? "," : "",
            nics[senders[i].nic].name, m[0], m[1], m[2], m[3], m[4], m[5], senders[i].count);
    }
    say("]}");
}

bool frame_send(const struct nic *nic, const unsigned char *frame, size_t length)
{
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = nic->index, .sll_halen = 6 };
    memcpy(to.sll_addr, frame, 6);
    for (int attempt = 0; attempt < 50; attempt++) {
        if (sendto(capture.fd, frame, length, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)length)
            return true;
        if (errno != EAGAIN && errno != ENOBUFS)
            return false;
        usleep(2000);
    }
    return false;
}

static size_t ethernet(unsigned char *frame, const void *to, const struct nic *from, uint16_t type)
{
    memset(frame, 0, FRAME_MAX);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from->mac, 6);
    frame[12] = (unsigned char)(type >> 8);
    frame[13] = (unsigned char)type;
    return 14;
}

static size_t mark(unsigned char *frame, size_t at, const char *token)
{
    return at + (size_t)snprintf((char *)frame + at, FRAME_MAX - at, MARKER "%s\n", token);
}

static bool arp_send(const struct nic *nic, struct in_addr target, const char *token)
{
    static const unsigned char head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
    unsigned char frame[FRAME_MAX];
    size_t at = ethernet(frame, "\xff\xff\xff\xff\xff\xff", nic, ETHERTYPE_ARP);
    memcpy(frame + at, head, 8);
    memcpy(frame + at + 8, nic->mac, 6);
    memcpy(frame + at + 14, &nic->ip4, 4);
    memcpy(frame + at + 24, &target, 4);
    return frame_send(nic, frame, mark(frame, at + 28, token));
}

bool arp_request(struct in_addr target, const char *token)
{
    for (int i = 0; i < nic_count; i++)
        if (nics[i].has4 && (nics[i].ip4.s_addr & nics[i].mask4.s_addr) == (target.s_addr & nics[i].mask4.s_addr))
            return arp_send(&nics[i], target, token);
    return nic_count > 0 && arp_send(&nics[0], target, token);
}

/* An ICMPv6 packet of `length` bytes to a multicast group; the marker rides behind the packet or inside it. */
static size_t icmp6_frame(unsigned char *frame, const struct nic *nic, const struct in6_addr *to, const void *body,
                          size_t length)
{
    unsigned char group[6] = { 0x33, 0x33 };
    memcpy(group + 2, to->s6_addr + 12, 4);
    size_t at = ethernet(frame, group, nic, ETHERTYPE_IPV6);
    frame[at] = 0x60;
    frame[at + 4] = (unsigned char)(length >> 8);
    frame[at + 5] = (unsigned char)length;
    frame[at + 6] = IPPROTO_ICMPV6;
    frame[at + 7] = 255;
    memcpy(frame + at + 8, &nic->ip6, 16);
    memcpy(frame + at + 24, to, 16);
    memcpy(frame + at + 40, body, length);
    uint32_t pseudo = 0;
    for (size_t i = 8; i < 40; i += 2)
        pseudo += (uint32_t)(frame[at + i] << 8 | frame[at + i + 1]);
    uint16_t sum = inet_checksum(frame + at + 40, length, pseudo + (uint32_t)length + IPPROTO_ICMPV6);
    memcpy(frame + at + 42, &sum, 2);
    return at + 40 + length;
}

bool neighbour_solicit(const struct in6_addr *target, const char *token)
{
    unsigned char frame[FRAME_MAX], body[32] = { ND_NEIGHBOR_SOLICIT };
    struct in6_addr group = { { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff } } };
    memcpy(group.s6_addr + 13, target->s6_addr + 13, 3);
    bool sent = false;
    for (int i = 0; i < nic_count; i++) {
        if (!nics[i].has6)
            continue;
        memcpy(body + 8, target, 16);
        body[24] = 1;
        body[25] = 1;
        memcpy(body + 26, nics[i].mac, 6);
        size_t at = icmp6_frame(frame, &nics[i], &group, body, sizeof body);
        sent |= frame_send(&nics[i], frame, mark(frame, at, token));
    }
    return sent;
}

static size_t udp4_frame(unsigned char *frame, const struct nic *nic, const char *mac, const char *to,
                         const char *token)
{
    size_t at = ethernet(frame, mac, nic, ETHERTYPE_IP), end = mark(frame, at + 28, token);
    uint16_t total = htons((uint16_t)(end - at)), length = htons((uint16_t)(end - at - 20));
    memcpy(frame + at, "\x45\0\0\0\0\0\0\0\x40\x11", 10);
    memcpy(frame + at + 2, &total, 2);
    memcpy(frame + at + 12, &nic->ip4, 4);
    inet_pton(AF_INET, to, frame + at + 16);
    uint16_t sum = inet_checksum(frame + at, 20, 0);
    memcpy(frame + at + 10, &sum, 2);
    memcpy(frame + at + 20, "\x14\xe9\x14\xe9", 4);
    memcpy(frame + at + 24, &length, 2);
    return end;
}

/* One canary in each way a frame reaches many: returns the number of frames sent. */
int shout(const char *token)
{
    unsigned char frame[FRAME_MAX], body[96] = { ICMP6_ECHO_REQUEST };
    struct in6_addr nodes;
    int sent = 0;
    inet_pton(AF_INET6, "ff02::1", &nodes);
    int length = 8 + snprintf((char *)body + 8, sizeof body - 8, MARKER "%s\n", token);
    for (int i = 0; i < nic_count; i++) {
        struct nic *nic = &nics[i];
        size_t at = ethernet(frame, "\xff\xff\xff\xff\xff\xff", nic, 0x88b5); /* IEEE 802 local experimental */
        sent += frame_send(nic, frame, mark(frame, at, token) + 32);
        sent += frame_send(nic, frame, udp4_frame(frame, nic, "\xff\xff\xff\xff\xff\xff", "255.255.255.255", token));
        sent += frame_send(nic, frame, udp4_frame(frame, nic, "\x01\x00\x5e\x00\x00\xfb", "224.0.0.251", token));
        sent += frame_send(nic, frame, icmp6_frame(frame, nic, &nodes, body, (size_t)length));
        sent += arp_send(nic, nic->ip4, token); /* gratuitous */
    }
    return sent;
}
