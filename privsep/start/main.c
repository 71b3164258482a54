/* ctd-start: decides what the command line wants, and has the configuration read. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log_text.h"
#include "start.h"

#define CONF_DEFAULT "/etc/conntrackd/conntrackd.conf"

struct wish {
	const char *conf;
	enum conf_use use;
	bool daemon;
};

/* Only the second character of an argument counts, as ever. False: not for us, or wrong. */
static bool
parse(int argc, char **argv, struct wish *w)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (strcmp(a, "--check") == 0)
			w->use = CONF_CHECK;
		else if (strcmp(a, "--print") == 0)
			w->use = CONF_PRINT;
		else if (a[0] != '\0' && a[1] == 'd')
			w->daemon = true;
		else if (a[0] != '\0' && a[1] == 'C' && i + 1 < argc)
			w->conf = argv[++i];
		else
			return false;
	}
	return true;
}

/* The client, and whatever is wrong with the command line, is conntrackctl's. */
static int
become_client(int argc, char **argv)
{
	char path[PATH_MAX], **args = calloc((size_t)argc + 2, sizeof(*args));
	int why;

	if (args != NULL && locate(path, sizeof(path), "conntrackctl")) {
		args[0] = argv[0];
		args[1] = (char *)(uintptr_t) "--compat";
		memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof(*args));
		execv(path, args);
	}
	why = errno;
	free(args);
	fprintf(stderr, "conntrackd: can't run conntrackctl, which serves this option: %s\n", strerror(why));
	return 1;
}

/* Descriptors 0-4 exist: the first three are open for good, then conntrackd's file, and one that is nobody's; workers
 * get their own ones at the last two. */
static void
reserve_fds(void)
{
	int fd = 0;

	close_range(HANDOVER_FD + 1, ~0U, 0);
	while (fd <= WORKER_LOG_FD) {
		if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1) {
			fprintf(stderr, "ERROR: can't open /dev/null: %s\n", strerror(errno));
			exit(1);
		}
		if (fd <= STDERR_FILENO)
			fcntl(fd, F_SETFD, 0);
	}
}

/* What is inherited and would change what we do: with SIGCHLD ignored nobody has an exit status. */
static void
reset_surroundings(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* become errors of write() */
	signal(SIGPIPE, SIG_IGN);
	umask(022);
}

/* Names the first right that is missing, or NULL. A container, or a unit, may leave root without some of them. */
static const char *
missing_right(void)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} rights[] = {{CAP_SETUID, "SETUID"}, {CAP_SETGID, "SETGID"}, {CAP_NET_ADMIN, "NET_ADMIN"}};
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct mine[_LINUX_CAPABILITY_U32S_3] = {0};

	syscall(SYS_capget, &head, mine);
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if ((mine[0].effective & 1U << rights[i].bit) == 0)
			return rights[i].name;
	return NULL;
}

/* Logs what is missing. */
static bool
may_start(struct start *s)
{
	const char *right = NULL;

	if (geteuid() != 0)
		log_put(&s->log, LV_ERROR, "conntrackd must be started by root; it drops its rights by itself");
	else if ((right = missing_right()) != NULL)
		log_put(&s->log, LV_ERROR,
			"conntrackd needs CAP_%s, which this root has not: give it to the container or unit; it drops "
			"its rights by itself",
			right);
	return geteuid() == 0 && right == NULL;
}

/* What the parent may do, made here, so that it has nothing that makes filters. -1: errno, or out of memory. */
static int
save_filter(void)
{
	int fd = memfd_create("filter", 0);
	scmp_filter_ctx ctx;

	if (fd == -1 || filter_build(&jail_parent, &ctx) != 0 || seccomp_export_bpf(ctx, fd) != 0 ||
	    lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	seccomp_release(ctx);
	return fd;
}

static int
become_open(struct start *s, char **argv)
{
	char path[PATH_MAX];

	s->s.magic = SETTLED_MAGIC;
	s->s.self = fcntl(HANDOVER_FD, F_DUPFD, 0);
	s->s.filter = save_filter();
	if (s->s.filter != -1 && fcntl(s->s.conf_fd, F_SETFD, 0) == 0 && handover_leave(&s->s, sizeof(s->s)) &&
	    locate(path, sizeof(path), "ctd-open"))
		execv(path, argv);
	log_put(&s->log, LV_ERROR, "can't run ctd-open: %s", strerror(errno));
	return 1;
}

int
main(int argc, char **argv)
{
	static struct start start = {.log = {STDOUT_FILENO, STDERR_FILENO, LF_TEXT, 0}};
	struct wish w = {CONF_DEFAULT, CONF_START, false};
	struct stat st;
	int status;

	if (fcntl(HANDOVER_FD, F_SETFD, FD_CLOEXEC) == -1 || fstat(HANDOVER_FD, &st) == -1 || !S_ISREG(st.st_mode)) {
		fprintf(stderr, "ctd-start is started by conntrackd, not by hand\n");
		return 64;
	}
	if (!parse(argc, argv, &w))
		return become_client(argc, argv);
	reset_surroundings();
	reserve_fds();
	if (w.use == CONF_START && !may_start(&start))
		return 1;
	start.s.daemon = w.daemon;
	if ((status = read_config(&start, w.conf, w.use)) != 0 || w.use != CONF_START)
		return status;
	return become_open(&start, argv);
}
