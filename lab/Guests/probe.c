/* The probe of a lab guest: answers with the machine's identity, and asks and sends what it is told to.
 *
 *   probe serve <tty> <machine> <boot> <found>     started by /init on the second serial line
 *   probe volume <device> <machine>                see volume.c
 *
 * Protocol: lines on a raw serial line. A command is "@<id> <word> <argument>...", its answer
 * "=<id> <one JSON object>"; <id> is decimal and chosen by the asker. Anything else on the line is noise and is ignored
 * by both sides, and so is an echo; a line is at most 64 KiB. A command that cannot be carried out answers
 * {"error":"<sentence>"}. At start "=0 {"ready":"<machine>"}".
 *
 *   hello                          {"machine":"bank/web/web-1","boot":1,"found":"-",
 *                                   "nics":[{"name":"nic0","mac":"52:54:..","ipv4":"10.0.0.1"}]}
 *                                  ipv4: "" while there is none;
 *                                  found: whose canary was on the volume before this boot ("-": nobody's)
 *   listen tcp|udp <port>          {"ok":true}   on every address, IPv4 and IPv6; listening twice is no error
 *   ping <ip> <timeoutMs> <token>  one question, see sweep; likewise ping6, arp, nd
 *   tcp <ip> <port> <timeoutMs> <token>          likewise udp
 *   sweep <timeoutMs> <attempts> <kind>,<ip>,<port>,<token> ...     at most 512 items, all at once; port 0 where none
 *                                  {"results":[<one per item, in order>]}, each
 *       {"open":true,"why":"answered","identity":"bank/ledger/ledger-1","mac":"","ms":7}
 *       why: answered | timeout | refused | unreachable | failed.  open is also true for a TCP connection that was made
 *       but not answered (why is then not "answered").  identity: tcp, udp.  mac: arp, nd.
 *   ask                            {"ok":true}   has the machine's DHCP client give back what it was told, waits until
 *                                  that is gone, and has it ask anew
 *   resolve <name> <timeoutMs>     {"code":0,"address":"10.0.0.1"}   as the server in /etc/resolv.conf says; code is
 *                                  DNS's, and -1 without a server or an answer; "" where the name has no address
 *   hold tcp|udp|ping <ip> <port> <timeoutMs>
 *                                  {"session":0}  opens a session that stays: a connection, or one pair of ports, or one
 *                                  echo identifier; at most 32, and port 0 for echoes
 *   beat <timeoutMs> <token>       {"alive":[true,false]}  one question in each session, and whether the answer came;
 *                                  answers to an earlier question count for nothing
 *   release                        {"ok":true}  ends all sessions
 *   raw <nic> <hex> [count]        {"sent":1}    one whole Ethernet frame, 14..1514 bytes, count 1..10000
 *   shout <token>                  {"sent":5}    broadcast and multicast canaries, five on each interface
 *   seen                           {"frames":9,"lost":0,"tokens":[{"nic":"nic0","token":"t","count":1}],
 *                                   "senders":[{"nic":"nic0","mac":"52:54:..","count":9}]}
 *                                  every frame that arrived (interfaces are promiscuous) since start or forget; lost
 *                                  must be 0 for an absence to mean anything
 *   forget                         {"ok":true}
 *   io <device> read|write seq|random <block> <count>
 *                                  {"us":1234}   so many operations of so many bytes on the whole disk, one at a time
 *                                  and past the guest's caches; a write ends with a flush and DESTROYS what was there
 *   disk read <vdX>                {"line":"text"}   the disk's first line, past the machine's own cache; "" when blank
 *   disk write <vdX> <token>       {"line":"text"}   writes it, or says why the kernel or the disk did not
 *
 * A question carries "BWCANARY:<token>\n" in its frames (after the ARP and neighbour packets, in the payload of others;
 * a TCP handshake has none). The answer to a ping carries it back, so an asker sees its own tokens of answered pings.
 * token: 1..48 of A-Z a-z 0-9 . _ - */
#include "probe.h"
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 600

const char *machine = "unnamed";
static const char *boot = "0", *found = "-";
static int loop_fd;
static struct source tty;
static char in[LINE_MAX_BYTES], out[LINE_MAX_BYTES * 2];
static size_t in_length, out_length;
static bool discarding;

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void watch(struct source *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    epoll_ctl(loop_fd, EPOLL_CTL_ADD, source->fd, &event);
}

void unwatch(struct source *source)
{
    epoll_ctl(loop_fd, EPOLL_CTL_DEL, source->fd, NULL);
}

/* One event at a time: a handler may close another's socket. */
void pump(int timeout_ms)
{
    for (int budget = 128; budget > 0; budget--, timeout_ms = 0) {
        struct epoll_event event;
        if (epoll_wait(loop_fd, &event, 1, timeout_ms) <= 0)
            return;
        struct source *source = event.data.ptr;
        source->ready(source, event.events);
    }
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int wrote = vsnprintf(out + out_length, sizeof out - out_length, format, arguments);
    va_end(arguments);
    out_length += wrote > 0 ? (size_t)wrote : 0;
    if (out_length >= sizeof out)
        out_length = sizeof out - 1;
}

bool token_valid(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return length >= 1 && length <= TOKEN_MAX && text[length] == 0;
}

/* What strangers sent goes into JSON only as plain characters. */
void make_plain(char *text)
{
    for (; *text; text++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/", *text))
            *text = '?';
}

static void flush_answer(void)
{
    if (out_length >= sizeof out - 1)
        out_length = (size_t)snprintf(out, sizeof out, "\n=0 {\"error\":\"the answer was longer than the limit\"}");
    out[out_length++] = '\n';
    for (size_t at = 0; at < out_length;) {
        ssize_t wrote = write(tty.fd, out + at, out_length - at);
        if (wrote > 0)
            at += (size_t)wrote;
        else
            pump(5);
    }
    out_length = 0;
}

static void hello(void)
{
    nics_load();
    say("{\"machine\":\"%s\",\"boot\":%s,\"found\":\"%s\",\"nics\":[", machine, boot, found);
    for (int i = 0; i < nic_count; i++) {
        const unsigned char *m = nics[i].mac;
        char ipv4[INET_ADDRSTRLEN] = "";
        if (nics[i].has4)
            inet_ntop(AF_INET, &nics[i].ip4, ipv4, sizeof ipv4);
        say("%s{\"name\":\"%s\",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"ipv4\":\"%s\"}", i ? "," : "", nics[i].name,
            m[0], m[1], m[2], m[3], m[4], m[5], ipv4);
    }
    say("]}");
}

static void raw(const char *name, const char *hex, int count)
{
    unsigned char frame[FRAME_MAX];
    size_t length = strlen(hex) / 2;
    const struct nic *nic = NULL;
    for (int i = 0; i < nic_count; i++)
        if (strcmp(nics[i].name, name) == 0)
            nic = &nics[i];
    bool valid = nic && strlen(hex) % 2 == 0 && length >= 14 && length <= 1514 && count >= 1 && count <= 10000
        && strspn(hex, "0123456789abcdefABCDEF") == strlen(hex);
    if (!valid) {
        say("{\"error\":\"raw needs an interface, 14..1514 bytes in hex, and a count 1..10000\"}");
        return;
    }
    for (size_t i = 0; i < length; i++)
        sscanf(hex + 2 * i, "%2hhx", &frame[i]);
    int sent = 0;
    for (int i = 0; i < count; i++) {
        sent += frame_send(nic, frame, length);
        if (i % 64 == 63)
            pump(0);
    }
    say("{\"sent\":%d}", sent);
}

static void ask_anew(void)
{
    if (system("killall -USR2 udhcpc") != 0) {
        say("{\"error\":\"no DHCP client runs\"}");
        return;
    }
    for (int64_t end = now_ms() + 5000; nics[0].has4 && now_ms() < end; nics_load())
        pump(20);
    say(system("killall -USR1 udhcpc") == 0 ? "{\"ok\":true}" : "{\"error\":\"the DHCP client has ended\"}");
}

/* `ping <ip> <timeoutMs> <token>` and `tcp <ip> <port> <timeoutMs> <token>` as a sweep of one. */
static void single(int count, char **words)
{
    bool with_port = count == 5;
    char item[160], *one = item;
    snprintf(item, sizeof item, "%s,%s,%s,%s", words[0], words[1], with_port ? words[2] : "0", words[count - 1]);
    sweep_run(atoi(words[count - 2]), 1, 1, &one, true);
}

static void obey(int count, char **words)
{
    const char *word = words[0];
    bool no_port = !strcmp(word, "ping") || !strcmp(word, "ping6") || !strcmp(word, "arp") || !strcmp(word, "nd");
    bool port = !strcmp(word, "tcp") || !strcmp(word, "udp");
    if (count == 1 && !strcmp(word, "hello")) {
        hello();
    } else if (count == 3 && !strcmp(word, "listen")) {
        const char *problem = listen_on(words[1], atoi(words[2]));
        if (problem)
            say("{\"error\":\"%s\"}", problem);
        else
            say("{\"ok\":true}");
    } else if ((count == 4 && no_port) || (count == 5 && port)) {
        single(count, words);
    } else if (count == 1 && !strcmp(word, "ask")) {
        ask_anew();
    } else if (count == 3 && !strcmp(word, "resolve") && token_valid(words[1])) {
        name_resolve(words[1], atoi(words[2]));
    } else if (count == 5 && !strcmp(word, "hold")) {
        session_hold(words[1], words[2], atoi(words[3]), atoi(words[4]));
    } else if (count == 3 && !strcmp(word, "beat") && token_valid(words[2])) {
        session_beat(atoi(words[1]), words[2]);
    } else if (count == 1 && !strcmp(word, "release")) {
        session_release();
        say("{\"ok\":true}");
    } else if (count >= 4 && !strcmp(word, "sweep")) {
        sweep_run(atoi(words[1]), atoi(words[2]), count - 3, words + 3, false);
    } else if ((count == 3 || count == 4) && !strcmp(word, "raw")) {
        raw(words[1], words[2], count == 4 ? atoi(words[3]) : 1);
    } else if (count == 2 && !strcmp(word, "shout") && token_valid(words[1])) {
        say("{\"sent\":%d}", shout(words[1]));
    } else if (count == 1 && !strcmp(word, "seen")) {
        capture_report();
    } else if (count == 6 && !strcmp(word, "io")) {
        disk_io(words[1], !strcmp(words[2], "write"), !strcmp(words[3], "random"), atol(words[4]), atol(words[5]));
    } else if (count == 1 && !strcmp(word, "forget")) {
        capture_forget();
        say("{\"ok\":true}");
    } else if (count == 3 && !strcmp(word, "disk") && !strcmp(words[1], "read")) {
        disk_line(words[2], NULL);
    } else if (count == 4 && !strcmp(word, "disk") && !strcmp(words[1], "write") && token_valid(words[3])) {
        disk_line(words[2], words[3]);
    } else {
        say("{\"error\":\"unknown command or wrong number of arguments\"}");
    }
}

static void take_line(char *line)
{
    static char *words[WORDS_MAX];
    char *end, *rest;
    unsigned long id = strtoul(line + 1, &end, 10);
    if (line[0] != '@' || end == line + 1 || *end != ' ')
        return;
    int count = 0;
    for (char *word = strtok_r(end, " ", &rest); word && count < WORDS_MAX; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    if (count == 0)
        return;
    out_length = 0;
    say("\n=%lu ", id);
    unwatch(&tty); /* the loop turns inside a sweep; the next command waits in the line */
    obey(count, words);
    flush_answer();
    watch(&tty, EPOLLIN);
}

static void tty_ready(struct source *source, uint32_t events)
{
    char part[4096];
    (void)events;
    ssize_t got = read(source->fd, part, sizeof part);
    for (ssize_t i = 0; i < got; i++) {
        char c = part[i];
        if (c == '\n' || c == '\r') {
            in[in_length] = 0;
            if (in_length > 0 && !discarding)
                take_line(in);
            in_length = 0;
            discarding = false;
        } else if (in_length < sizeof in - 1) {
            in[in_length++] = c;
        } else {
            discarding = true;
        }
    }
}

static int serve(const char *path)
{
    struct termios line;
    signal(SIGPIPE, SIG_IGN);
    loop_fd = epoll_create1(EPOLL_CLOEXEC);
    tty = (struct source){ open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), tty_ready };
    if (tty.fd < 0 || tcgetattr(tty.fd, &line) != 0) {
        perror(path);
        return 1;
    }
    cfmakeraw(&line);
    cfsetspeed(&line, B115200);
    line.c_cflag |= CLOCAL | CREAD;
    tcsetattr(tty.fd, TCSANOW, &line);
    nics_load();
    capture_open();
    say("\n=0 {\"ready\":\"%s\"}", machine);
    flush_answer();
    watch(&tty, EPOLLIN);
    for (;;)
        pump(1000);
}

int main(int count, char **arguments)
{
    if (count == 6 && strcmp(arguments[1], "serve") == 0) {
        machine = arguments[3];
        boot = arguments[4];
        found = arguments[5];
        return serve(arguments[2]);
    }
    if (count == 4 && strcmp(arguments[1], "volume") == 0)
        return volume_main(arguments[2], arguments[3]);
    fprintf(stderr, "probe serve <tty> <machine> <boot> <found> | probe volume <device> <machine>\n");
    return 2;
}
