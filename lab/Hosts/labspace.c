/* The two things a lab needs that no ordinary program does: a set of namespaces that stays, and a long-running
 * program inside one, started so that it outlives whoever started it.
 *
 *   labspace hold <lab> <name> <directory> [<mount point>...]
 *       New mount, network, process, host-name and IPC namespaces. Their process 1 names itself in its arguments
 *       ("labspace hold <lab> <name> ..."), reaps orphans, and does nothing else; when it is killed the kernel ends all
 *       that runs inside. /proc and /sys are the namespaces' own, /run is an empty tmpfs, and each mount point is
 *       bound to <directory>/<mount point with '-' for '/'>. Prints the process id as seen by the caller, and leaves.
 *   labspace start <pid> <log> <program> [<argument>...]
 *       Runs the program inside the namespaces held by <pid>, output appended to <log>. Prints its process id as seen
 *       by the caller, and leaves. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "labspace: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void must(int result, const char *what)
{
    if (result < 0)
        fail(what);
}

static void lo_up(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(fd, "socket");
    must(ioctl(fd, SIOCSIFFLAGS, &lo), "lo up");
    close(fd);
}

static void bind_own(const char *directory, const char *point)
{
    char source[4096];
    int head = snprintf(source, sizeof source, "%s/", directory);
    int length = snprintf(source + head, sizeof source - (size_t)head, "%s", point + 1);
    if (point[0] != '/' || head + length >= (int)sizeof source) {
        errno = EINVAL;
        fail(point);
    }
    for (char *at = source + head; *at; at++)
        if (*at == '/')
            *at = '-';
    if (mkdir(source, 0755) != 0 && errno != EEXIST)
        fail(source);
    if (mkdir(point, 0755) != 0 && errno != EEXIST)
        fail(point);
    must(mount(source, point, NULL, MS_BIND, NULL), point);
}

/* Standard streams away from the caller's, so that nobody waits for our end of a pipe. */
static void detach(int log)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    must(null, "/dev/null");
    must(dup2(null, 0), "stdin");
    must(dup2(log >= 0 ? log : null, 1), "stdout");
    must(dup2(log >= 0 ? log : null, 2), "stderr");
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
}

static void hold_forever(int started)
{
    sigset_t all;
    detach(started);
    close(1);
    close(2);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        int signal;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        sigwait(&all, &signal);
    }
}

static int hold(int count, char **arguments)
{
    const char *name = arguments[3], *directory = arguments[4];
    int pipes[2];
    char ready = 0;
    must(pipe2(pipes, O_CLOEXEC), "pipe");
    must(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC), "unshare");
    pid_t child = fork();
    must(child, "fork");
    if (child > 0) {
        close(pipes[1]);
        if (read(pipes[0], &ready, 1) != 1)
            return 1; /* the child said why */
        printf("%d\n", (int)child);
        return 0;
    }
    setsid();
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "mounts private");
    must(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "/proc");
    must(mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "/sys");
    must(mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"), "/run");
    for (int i = 5; i < count; i++)
        bind_own(directory, arguments[i]);
    must(sethostname(name, strlen(name)), "host name");
    lo_up();
    must(chdir("/"), "/");
    must((int)write(pipes[1], "+", 1), "report");
    hold_forever(-1);
    return 0;
}

static void join(const char *pid, const char *kind, int flag)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, kind);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd, path);
    must(setns(fd, flag), path);
    close(fd);
}

/* Tells the outer process our id as it sees it (SCM_CREDENTIALS, unix(7)), then becomes the program. */
static int become(int report, int log, char **program)
{
    char mark = '+';
    setsid();
    must(chdir("/"), "/");
    int keep = fcntl(report, F_DUPFD_CLOEXEC, 1024);
    must(keep, "report");
    detach(log);
    if (write(keep, &mark, 1) != 1)
        return 127;
    execvp(program[0], program);
    int error = errno;
    (void)!write(keep, &error, sizeof error);
    return 127;
}

static pid_t sender_of_mark(int report)
{
    union { char room[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr align; } control;
    char mark;
    struct iovec part = { &mark, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof control };
    if (recvmsg(report, &message, 0) != 1)
        return -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_CREDENTIALS)
        return -1;
    struct ucred who;
    memcpy(&who, CMSG_DATA(head), sizeof who);
    return who.pid;
}

static int start(char **arguments)
{
    const char *holder = arguments[2];
    int log = open(arguments[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(log, arguments[3]);
    int pair[2], on = 1, error = 0;
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair");
    must(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), "SO_PASSCRED");
    join(holder, "uts", CLONE_NEWUTS);
    join(holder, "ipc", CLONE_NEWIPC);
    join(holder, "net", CLONE_NEWNET);
    join(holder, "pid", CLONE_NEWPID);
    join(holder, "mnt", CLONE_NEWNS);
    pid_t child = fork();
    must(child, "fork");
    if (child == 0) {
        /* Forked once more, so that the program becomes a child of the namespaces' process 1, which reaps it. */
        pid_t program = fork();
        must(program, "fork");
        _exit(program > 0 ? 0 : become(pair[1], log, arguments + 4));
    }
    close(pair[1]);
    waitpid(child, NULL, 0);
    pid_t pid = sender_of_mark(pair[0]);
    if (pid <= 0) {
        errno = ECHILD;
        fail("the program did not report");
    }
    if (read(pair[0], &error, sizeof error) == sizeof error) {
        errno = error;
        fail(arguments[4]);
    }
    printf("%d\n", (int)pid);
    return 0;
}

int main(int count, char **arguments)
{
    if (count >= 5 && strcmp(arguments[1], "hold") == 0)
        return hold(count, arguments);
    if (count >= 5 && strcmp(arguments[1], "start") == 0)
        return start(arguments);
    fprintf(stderr, "labspace hold <lab> <name> <directory> [<mount point>...] | start <pid> <log> <program> ...\n");
    return 2;
}
