/*
 * Enters the jail of a role and then does one thing. Usage: probe ROLE CALL [ASKED [DIRECTORY]]. Prints what came of
 * it; a filter that works lets it print nothing. ASKED: walls that must be there, a number; then it says which are not.
 * DIRECTORY: of the log worker. Without CALL it waits, to be looked at from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "roles.h"
#include "log_text.h"
#include "msg_rules.h"

static int pair[2];
static struct sockaddr_in there = {.sin_family = AF_INET};

static long
do_sendto(void)
{
	return sendto(pair[0], "x", 1, 0, (struct sockaddr *)&there, sizeof(there));
}

static long
do_send(void)
{
	return send(pair[0], "x", 1, 0);
}

static long
do_sendmsg(void)
{
	struct msghdr mh = {.msg_name = &there, .msg_namelen = sizeof(there)};

	return sendmsg(pair[0], &mh, 0);
}

static long
do_sendmmsg(void)
{
	struct mmsghdr mm = {.msg_hdr = {.msg_name = &there, .msg_namelen = sizeof(there)}};

	return sendmmsg(pair[0], &mm, 1, 0);
}

static long
do_write(void)
{
	return write(pair[0], "x", 1);
}

static long
do_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static long
do_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static long
do_connect(void)
{
	return connect(pair[0], (struct sockaddr *)&there, sizeof(there));
}

static long
do_bind(void)
{
	return bind(pair[0], (struct sockaddr *)&there, sizeof(there));
}

static long
do_accept(void)
{
	return accept4(pair[0], NULL, NULL, SOCK_NONBLOCK);
}

static long
do_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long
do_log_open(void)
{
	return openat(AT_FDCWD, "log", JAIL_LOG_OPEN, 0600);
}

/* Above the directory of the log, and by a name that is not of a directory. */
static long
do_log_above(void)
{
	return openat(AT_FDCWD, "../above", JAIL_LOG_OPEN, 0600) == -1 ||
			       openat(AT_FDCWD, "/up", JAIL_LOG_OPEN, 0600) == -1
		       ? -1
		       : 0;
}

static long
do_log_read(void)
{
	return open("log", O_RDONLY | O_CLOEXEC);
}

static long
do_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static long
do_readlink(void)
{
	char to[64];

	return readlink("/etc/localtime", to, sizeof(to));
}

static long
do_access(void)
{
	return access("/etc/passwd", F_OK);
}

static long
do_alarm(void)
{
	return (long)alarm(0);
}

static long
do_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static long
do_fork(void)
{
	return syscall(SYS_fork);
}

static long
do_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
}

static long
do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long
do_kill(void)
{
	return kill(getppid(), 0);
}

static long
do_setuid(void)
{
	return setresuid(0, 0, 0);
}

static long
do_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static long
do_mount(void)
{
	return syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL);
}

static long
do_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static long
do_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static long
do_mprotect(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long
do_flags(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};

	return ioctl(pair[0], SIOCGIFFLAGS, &ifr);
}

static long
do_address(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};

	return ioctl(pair[0], SIOCSIFADDR, &ifr);
}

static long
do_setsockopt(void)
{
	int on = 1;

	return setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

static long
do_epoll(void)
{
	return epoll_create1(0);
}

static long
do_io_uring(void)
{
	return syscall(425, 1, NULL);
}

static long
do_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long
do_x32(void)
{
	return syscall(0x40000000 | SYS_getpid);
}

static long
do_limit(void)
{
	struct rlimit l = {1, 1};

	return setrlimit(RLIMIT_CPU, &l);
}

/* Of the log socket this would silence everybody who shares it. */
static long
do_shutdown(void)
{
	return shutdown(pair[0], SHUT_WR);
}

static long
set_cpu(pid_t pid)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return sched_setaffinity(pid, sizeof(one), &one);
}

static long
do_cpu(void)
{
	return set_cpu(0);
}

static long
do_others_cpu(void)
{
	return set_cpu(1);
}

static const struct {
	const char *name;
	long (*act)(void);
} acts[] = {
	{"sendto", do_sendto},       {"send", do_send},         {"sendmsg", do_sendmsg}, {"sendmmsg", do_sendmmsg},
	{"write", do_write},         {"socket", do_socket},     {"netlink", do_netlink}, {"connect", do_connect},
	{"bind", do_bind},           {"accept", do_accept},     {"open", do_open},       {"log-open", do_log_open},
	{"log-above", do_log_above}, {"log-read", do_log_read}, {"stat", do_stat},       {"readlink", do_readlink},
	{"access", do_access},       {"alarm", do_alarm},       {"exec", do_exec},       {"fork", do_fork},
	{"clone", do_clone},         {"ptrace", do_ptrace},     {"kill", do_kill},       {"setuid", do_setuid},
	{"unshare", do_unshare},     {"mount", do_mount},       {"code", do_code},       {"memory", do_memory},
	{"mprotect", do_mprotect},   {"flags", do_flags},       {"address", do_address}, {"setsockopt", do_setsockopt},
	{"epoll", do_epoll},         {"io_uring", do_io_uring}, {"bpf", do_bpf},         {"x32", do_x32},
	{"limit", do_limit},         {"shutdown", do_shutdown}, {"cpu", do_cpu},         {"others-cpu", do_others_cpu},
};

/* Not every role has write(). */
static ssize_t
say_left_out(int left_out)
{
	char line[64];
	struct iovec said = {line, (size_t)snprintf(line, sizeof(line), "left out: %d\n", left_out)};

	return writev(1, &said, 1);
}

int
main(int argc, char **argv)
{
	struct log log = {1, 2, LF_TEXT, 0};
	enum role role = ROLE_PARENT;
	struct jail j;
	int left_out;
	char line[64];

	while (argc > 1 && role < ROLE_MAX && strcmp(role_name(role), argv[1]) != 0)
		role++;
	if (argc < 2 || role == ROLE_MAX || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == -1)
		return 2;
	j = role == ROLE_PARENT ? jail_parent : role == ROLE_QUEUE ? jail_queue : *jail_row(role);
	j.last_fd = pair[1];
	if (argc > 3)
		j.asked = (unsigned int)atoi(argv[3]);
	if (argc > 4)
		j.log_dir = open(argv[4], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (j.log_dir > j.last_fd)
		j.last_fd = j.log_dir;
	left_out = role == ROLE_PARENT || role == ROLE_QUEUE ? jail_enter(&j, &log) : jail_worker(&j, &log);
	if (left_out < 0)
		return 3;
	if (argc > 3 && say_left_out(left_out) == -1)
		return 4;
	for (size_t i = 0; argc > 2 && i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, argv[2]) == 0) {
			long r = acts[i].act();
			struct iovec said = {line, (size_t)snprintf(line, sizeof(line), "%s: %ld\n", argv[2], r)};

			return writev(1, &said, 1) != (ssize_t)said.iov_len; /* not every role has write() */
		}
	if (argc > 2)
		return 2;
	(void)!write(1, "jailed\n", 7);
	return read(0, line, sizeof(line)) < 0;
}
