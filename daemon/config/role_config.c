/*
 * The short life of the config worker. The text may be anything: this process is taken over first if the parser is
 * wrong, so it holds nothing but the text, the names of protocols and the memory for the settings.
 */
#include "role_config.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "blob.h"
#include "chan.h"
#include "roles.h"
#include "later.h"
#include "log_text.h"
#include "msg_rules.h"
#include "parse.h"
#include "print.h"

#define READ_STEP 65536

/* The whole file, at most CONF_TEXT_MAX bytes: -EFBIG. */
static int
read_text(int fd, char **text, size_t *len)
{
	size_t room = 0;
	ssize_t n = 1;

	*text = NULL;
	*len = 0;
	while (n > 0) {
		if (*len == room) {
			char *more = realloc(*text, room += room != 0 ? room : READ_STEP);

			if (more == NULL)
				return -ENOMEM;
			*text = more;
		}
		while ((n = read(fd, *text + *len, room - *len)) == -1 && errno == EINTR)
			;
		if (n == -1)
			return -errno;
		*len += (size_t)n;
		if (*len > CONF_TEXT_MAX)
			return -EFBIG;
	}
	return 0;
}

static void
say(void *arg, enum log_level level, const char *text)
{
	log_put(arg, level, "%s", text);
}

static int
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n == -1 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
print_settings(const struct config_tools *t, const struct conf *c)
{
	size_t len;
	char *text = conf_print(c, t->protos, &len);
	int r = text != NULL ? write_all(t->out_fd, text, len) : -ENOMEM;

	free(text);
	return r;
}

static int
hand_over(const struct config_tools *t, const struct conf *c)
{
	struct chan wall = {.fd = t->wall_fd};
	struct msg_setup setup;
	struct iovec part = {&setup, sizeof(setup)};
	int r = blob_store(c, t->mem_fd);

	conf_to_setup(c, &setup);
	return r != 0 ? r : chan_sendv(&wall, MSG_SETUP, 0, &part, 1, &t->mem_fd, 1);
}

static int
use_settings(const struct config_tools *t, const struct conf *c, uint32_t use)
{
	int r = use == CONF_START ? hand_over(t, c) : use == CONF_PRINT ? print_settings(t, c) : 0;

	if (r == 0)
		return CONFIG_GOOD;
	log_put(t->console, LV_ERROR, "cannot hand over the configuration: %s", strerror(-r));
	return CONFIG_BAD;
}

static int
serve_text(const struct config_tools *t, const char *name, char *text, size_t len, uint32_t use)
{
	struct diag d = {say, t->console, name};
	struct conf_source src = {.text = text, .len = len, .protos = t->protos, .diag = &d};
	struct conf c;
	const char *later;
	bool starts;
	int r;

	if (conf_parse(&c, &src) != 0)
		return CONFIG_BAD;
	starts = conf_starts(&c, &d, use == CONF_START ? LV_ERROR : LV_WARNING);
	for (unsigned int i = 0; use != CONF_START && (later = conf_later(&c, i)) != NULL; i++)
		diag_at(&d, LV_NOTICE, (struct place){0, 0}, LATER_FORMAT, later); /* else the sync worker logs it */
	r = starts || use != CONF_START ? use_settings(t, &c, use) : CONFIG_BAD;
	conf_clear(&c);
	return r;
}

static int
serve_file(const struct config_tools *t, const struct msg *m)
{
	char name[CONF_NAME_MAX + 1] = "conntrackd.conf", *text;
	size_t len;
	int r = read_text(m->fd[0], &text, &len), status = CONFIG_BAD;

	if (m->len != 0 && m->len < sizeof(name)) {
		memcpy(name, m->data, m->len);
		name[m->len] = '\0';
	}
	if (r == 0)
		status = serve_text(t, name, text, len, m->arg);
	else if (r == -EISDIR) {
		log_put(t->console, LV_ERROR, "can't read config file `%s': it is a directory", name);
		status = CONFIG_IS_DIR;
	} else
		log_put(t->console, LV_ERROR, "can't read config file `%s': %s", name, strerror(-r));
	free(text);
	return status;
}

int
config_serve(const struct config_tools *t)
{
	uint8_t buf[sizeof(struct msg_hdr) + CONF_NAME_MAX];
	struct pollfd pfd = {.fd = t->wall_fd, .events = POLLIN};
	struct chan wall = {.fd = t->wall_fd};
	enum admit broken;
	struct msg m;
	int r;

	while ((r = chan_recv(&wall, buf, sizeof(buf), &m)) == 0)
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			return CONFIG_BAD;
	if (r < 0) /* the parent is gone, or speaks another language */
		return CONFIG_BAD;
	broken = msg_admit(ROLE_PARENT, ROLE_CONFIG, PHASE_SETUP, &m);
	if (broken == ADMIT_OK)
		r = serve_file(t, &m);
	else
		log_put(t->console, LV_ERROR, "config worker: message %u broke rule %s", m.type,
			msg_admit_name(broken));
	msg_close_fds(&m);
	return broken == ADMIT_OK ? r : CONFIG_BAD;
}

/* Root who may become somebody else: the start refuses to go on without that right, and to check a file it takes none.
 */
static bool
is_whole_root(void)
{
	const uint32_t all = 1U << CAP_SETUID | 1U << CAP_SETGID;
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct mine[_LINUX_CAPABILITY_U32S_3] = {0};

	return geteuid() == 0 && syscall(SYS_capget, &head, mine) == 0 && (mine[0].effective & all) == all;
}

/* Who only checks a file need not be root: then all that such a process can still do is done. */
static int
jail_unprivileged(const struct jail *j)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	int r;

	if (syscall(SYS_capset, &head, none) == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -errno;
	signal(SIGXFSZ, SIG_IGN);
	if ((r = landlock_deny_all(j)) != 0 && !jail_spares(j, WALL_LANDLOCK, r))
		return r;
	return (r = limits_apply(j)) != 0 ? r : filter_load(j);
}

int
config_role(int wall_fd, struct log *log)
{
	struct log console = {.fd = STDERR_FILENO, .fd_err = STDERR_FILENO, .form = LF_TEXT};
	struct config_tools t = {.wall_fd = wall_fd, .out_fd = STDOUT_FILENO, .console = &console};
	struct jail jail = *jail_row(ROLE_CONFIG);
	struct protos protos = {0};
	int table = protos_open(), r;

	(void)log; /* nobody reads it before the settings are known */
	if ((t.mem_fd = r = blob_memfd()) < 0) {
		log_put(&console, LV_ERROR, "config worker: %s", strerror(-r));
		return CONFIG_BAD;
	}
	t.protos = &protos;
	jail.asked = WALL_ANYHOW; /* what the settings ask for, it is the first to know */
	jail.last_fd = t.mem_fd > table ? t.mem_fd : table;
	tzset(); /* reads a file */
	if (is_whole_root())
		r = jail_worker(&jail, &console); /* says by itself what is wrong */
	else if ((r = jail_unprivileged(&jail)) < 0)
		log_put(&console, LV_ERROR, "cannot enter the jail: %s", strerror(-r));
	if (r >= 0 && (r = protos_load(&protos, table)) != 0)
		log_put(&console, LV_ERROR, "config worker: %s", strerror(-r));
	r = r == 0 ? config_serve(&t) : CONFIG_BAD;
	protos_free(&protos);
	close(t.mem_fd);
	return r;
}
