/* Names that the configuration worker chose: what is there and is not ours stays as it is, whoever named it. */
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log_text.h"
#include "open.h"

static jmp_buf gave_up;
static char dir[] = "/tmp/files_test.XXXXXX", path[64];

void
give_up(struct opened *s, int status)
{
	(void)s;
	longjmp(gave_up, status);
}

static struct opened start;

static struct opened *
fresh(void)
{
	start = (struct opened){.log = {STDERR_FILENO, STDERR_FILENO, LF_TEXT, 0}};
	return &start;
}

/* True when the step was carried out. */
static bool
works(struct opened *s, void (*step)(struct opened *))
{
	if (setjmp(gave_up) != 0)
		return false;
	step(s);
	return true;
}

static void
put(const char *text)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
holds(const char *text)
{
	char is[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(is, 1, sizeof(is) - 1, f) < sizeof(is));
	fclose(f);
	assert_string_equal(is, text);
}

static bool
lock(void)
{
	struct opened *s = fresh();

	strcpy(s->s.conf.lockfile, path);
	return works(s, take_lock);
}

static void
the_lock_overwrites_nothing(void **state)
{
	char number[16];

	(void)state;
	snprintf(number, sizeof(number), "%d\n", (int)getpid());
	put("root:*:1:0:99999:7:::\n");
	assert_false(lock());
	holds("root:*:1:0:99999:7:::\n");
	put("12345678901234567890");
	assert_false(lock());
	holds("12345678901234567890");
	put("4711\n"); /* a dead daemon's */
	assert_true(lock());
	holds(number);
	put(""); /* as 1.4.x left it */
	assert_true(lock());
	holds(number);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_false(lock());
}

static bool
named_log_opens(const char *name)
{
	struct opened *s = fresh();

	for (int i = 0; i < SINK_MAX; i++)
		s->sink[i] = -1;
	strcpy(s->s.conf.logfile, name);
	return works(s, open_logs);
}

static bool
log_opens(void)
{
	return named_log_opens(path);
}

static bool
is_same(int fd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(name, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A link of root's where only root makes some is followed, from one to the next. */
static void
a_log_may_be_a_link(void **state)
{
	char first[80], next[80], missing[80];

	(void)state;
	put("");
	snprintf(first, sizeof(first), "%s.first", path);
	snprintf(next, sizeof(next), "%s.next", path);
	snprintf(missing, sizeof(missing), "%s.missing", path);
	assert_int_equal(symlink(next, first), 0);
	assert_int_equal(symlink(strrchr(path, '/') + 1, next), 0);
	assert_true(named_log_opens(first) && is_same(start.sink[SINK_FILE], path) && start.sink[SINK_DIR] != -1);
	put("127.0.0.1 localhost\n");
	if (getuid() == 0) /* else the file is the worker's already, as far as the check can tell */
		assert_false(named_log_opens(first));
	unlink(next);
	assert_int_equal(symlink(missing, next), 0);
	assert_true(named_log_opens(first) && is_same(start.sink[SINK_FILE], missing));
	unlink(missing);
	unlink(next);
	assert_int_equal(symlink(first, next), 0); /* a ring */
	assert_false(named_log_opens(first));
	unlink(next);
	assert_int_equal(symlink(path, next), 0);
	put("");
	assert_int_equal(chmod(dir, 01777), 0); /* anybody may have made them */
	assert_false(named_log_opens(first));
	assert_int_equal(chmod(dir, 0700), 0);
	if (getuid() == 0) {
		assert_int_equal(lchown(next, 1, 1), 0);
		assert_false(named_log_opens(first));
	}
	unlink(first);
	unlink(next);
}

/* They have no directory, and no owner is changed. */
static void
a_log_may_be_a_stream(void **state)
{
	char link[80];
	struct stat st;

	(void)state;
	assert_true(named_log_opens("/dev/null") && is_same(start.sink[SINK_FILE], "/dev/null"));
	assert_int_equal(start.sink[SINK_DIR], -1);
	assert_int_equal(start.sink[SINK_CONSOLE], STDOUT_FILENO);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_true(named_log_opens("/dev/stdout") && is_same(start.sink[SINK_FILE], "/proc/self/fd/1"));
	assert_int_equal(start.sink[SINK_DIR], -1);
	assert_int_equal(start.sink[SINK_CONSOLE], -1); /* or every line would be there twice */
	assert_int_equal(start.sink[SINK_CONSOLE_ERR], -1);
	assert_true(named_log_opens("/proc/self/fd/2") && is_same(start.sink[SINK_FILE], "/proc/self/fd/2"));
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink("/dev/stderr", link), 0);
	assert_true(named_log_opens(link) && is_same(start.sink[SINK_FILE], "/proc/self/fd/2"));
	unlink(link);
	assert_false(named_log_opens("/dev/zero"));
	assert_false(named_log_opens("/dev"));
}

static void
a_log_is_a_log(void **state)
{
	char other[80];

	(void)state;
	if (getuid() == 0) { /* else the file is the worker's already, as far as the check can tell */
		put("root:*:1:0:99999:7:::\n");
		chown(path, 1, 1);
		assert_false(log_opens());
	}
	put("[Sat Nov 21 02:54:35 2026] (pid=1) [notice] hello\n");
	assert_true(log_opens());
	put("");
	assert_true(log_opens());
	snprintf(other, sizeof(other), "%s.too", path);
	assert_int_equal(link(path, other), 0); /* two names: one of them may be another's */
	assert_false(log_opens());
	unlink(other);
	unlink(path);
	assert_true(log_opens()); /* a new one */
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(log_opens()); /* and does not wait for a reader */
	unlink(path);
	strcpy(other, path);
	strcpy(path, "/dev/zero");
	assert_false(log_opens());
	strcpy(path, other);
}

/* What was put aside: lstat() of it, then it is removed. */
static bool
was_aside(struct stat *st)
{
	char pattern[96];
	glob_t found;
	bool good;

	snprintf(pattern, sizeof(pattern), "%s.??????", path);
	good = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1 && lstat(found.gl_pathv[0], st) == 0 &&
	       remove(found.gl_pathv[0]) == 0;
	globfree(&found);
	return good;
}

/* Where everybody may make files, as in /var/lock: who owns the lock could hold it for ever. */
static void
others_files_are_not_ours(void **state)
{
	struct stat st;

	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(chmod(dir, 01777), 0);
	put("");
	assert_int_equal(chown(path, 1, 1), 0);
	assert_true(lock()); /* put aside */
	assert_true(was_aside(&st) && st.st_uid == 1 && st.st_size == 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chown(path, 1, 1), 0);
	assert_true(lock());
	assert_true(was_aside(&st) && S_ISDIR(st.st_mode));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(lchown(path, 1, 1), 0);
	assert_true(lock());
	assert_true(was_aside(&st) && S_ISLNK(st.st_mode));
	assert_int_equal(chmod(dir, 0700), 0);
	put("");
	assert_int_equal(chown(path, 1, 1), 0);
	assert_false(lock()); /* by whoever may write there */
	holds("");
	put("");
	assert_int_equal(chmod(dir, 01777), 0);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_true(lock());
	put("[Sat Nov 21 02:54:35 2026] (pid=1) [notice] forged\n");
	assert_int_equal(chown(path, 1, 1), 0);
	assert_false(log_opens());
	assert_int_equal(chown(path, 0, 0), 0);
	assert_true(log_opens());
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(chown(path, 1, 1), 0); /* as when the worker's uid has changed */
	assert_true(log_opens());
}

static bool
control(void)
{
	struct opened *s = fresh();
	bool good;

	strcpy(s->s.conf.ctl_path, path);
	good = works(s, open_control);
	if (good)
		close(s->h.control);
	return good;
}

static int
listener(int type, bool listens)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	unlink(path);
	strcpy(sun.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	if (listens)
		assert_int_equal(listen(fd, 0), 0);
	return fd;
}

static bool
same_socket(int fd, bool (*what)(void))
{
	struct stat before, after;
	bool r;

	assert_int_equal(stat(path, &before), 0);
	r = what();
	assert_int_equal(stat(path, &after), 0);
	close(fd);
	return !r && before.st_ino == after.st_ino;
}

static void
only_dead_sockets_are_replaced(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, client[8];

	(void)state;
	assert_true(same_socket(listener(SOCK_DGRAM, false), control)); /* as /dev/log is one */
	assert_true(same_socket(listener(SOCK_STREAM, true), control));
	fd = listener(SOCK_STREAM, true);
	strcpy(sun.sun_path, path);
	for (int i = 0; i < 8; i++) { /* alive, and so busy that it does not take one more */
		client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(client[i], (struct sockaddr *)&sun, sizeof(sun));
	}
	assert_true(same_socket(fd, control));
	for (int i = 0; i < 8; i++)
		close(client[i]);
	close(listener(SOCK_STREAM, true)); /* a dead daemon's */
	assert_true(control());
	unlink(path);
	assert_true(control());
	put("text");
	assert_false(control());
	holds("text");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lock_overwrites_nothing), cmocka_unit_test(a_log_is_a_log),
		cmocka_unit_test(a_log_may_be_a_link),         cmocka_unit_test(a_log_may_be_a_stream),
		cmocka_unit_test(others_files_are_not_ours),   cmocka_unit_test(only_dead_sockets_are_replaced),
	};
	int r;

	if (mkdtemp(dir) == NULL)
		return 77;
	snprintf(path, sizeof(path), "%s/file", dir);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return r;
}
