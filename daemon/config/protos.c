/*
 * Protocol names for the `Protocol' list of the Filter.
 */
#include "protos.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROTOS_MAX 4096
#define FILE_MAX   65536 /* octets of the table that are read; Debian's has 3000 */

/* For systems without /etc/protocols. */
static const struct proto_name builtin[] = {
	{"ICMP", 1},       {"icmp", 1},   {"TCP", 6},    {"tcp", 6},       {"UDP", 17},
	{"udp", 17},       {"DCCP", 33},  {"dccp", 33},  {"GRE", 47},      {"gre", 47},
	{"ESP", 50},       {"esp", 50},   {"AH", 51},    {"ah", 51},       {"IPv6-ICMP", 58},
	{"ipv6-icmp", 58}, {"SCTP", 132}, {"sctp", 132}, {"UDPLite", 136}, {"udplite", 136},
};

static int
protos_add(struct protos *p, const char *name, int number)
{
	struct proto_name *v;

	if (strlen(name) >= sizeof(v->name) || number < 0 || number > UINT16_MAX || p->n == PROTOS_MAX)
		return 0;
	if ((p->n & (p->n - 1)) == 0) { /* doubles at every power of two */
		if ((v = realloc(p->v, (p->n ? 2 * p->n : 1) * sizeof(*v))) == NULL)
			return -ENOMEM;
		p->v = v;
	}
	v = &p->v[p->n++];
	*v = (struct proto_name){.number = (uint16_t)number};
	memcpy(v->name, name, strlen(name));
	return 0;
}

/* NAME NUMBER ALIAS... # comment; others are skipped. */
static int
take_line(struct protos *p, char *line)
{
	char *rest = line, *end = line, *name, *alias;
	long number;
	int r;

	line[strcspn(line, "#")] = '\0';
	name = strtok_r(line, " \t\r", &rest);
	alias = name != NULL ? strtok_r(NULL, " \t\r", &rest) : NULL;
	number = alias != NULL ? strtol(alias, &end, 10) : -1;
	if (*end != '\0' || number < 0 || number > INT_MAX)
		return 0;
	r = protos_add(p, name, (int)number);
	while (r == 0 && (alias = strtok_r(NULL, " \t\r", &rest)) != NULL)
		r = protos_add(p, alias, (int)number);
	return r;
}

int
protos_open(void)
{
	int fd = open("/etc/protocols", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd == -1 ? -errno : fd;
}

int
protos_load(struct protos *p, int fd)
{
	char text[FILE_MAX + 1];
	size_t len = 0;
	ssize_t n = 0;
	int r = 0;

	*p = (struct protos){0};
	while (fd >= 0 && len < FILE_MAX &&
	       ((n = read(fd, text + len, FILE_MAX - len)) > 0 || (n == -1 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	text[len] = '\0';
	for (char *rest = text, *line; r == 0 && (line = strsep(&rest, "\n")) != NULL;)
		r = take_line(p, line);
	if (r != 0)
		protos_free(p);
	return r;
}

void
protos_free(struct protos *p)
{
	free(p->v);
	*p = (struct protos){0};
}

static int
find_number(const struct proto_name *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return v[i].number;
	return -ENOENT;
}

int
protos_number(const struct protos *p, const char *name)
{
	int r = p != NULL ? find_number(p->v, p->n, name) : -ENOENT;

	return r >= 0 ? r : find_number(builtin, sizeof(builtin) / sizeof(builtin[0]), name);
}

static const char *
find_name(const struct proto_name *v, size_t n, unsigned int number)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].number == number)
			return v[i].name;
	return NULL;
}

const char *
protos_name(const struct protos *p, unsigned int number)
{
	const char *name = p != NULL ? find_name(p->v, p->n, number) : NULL;

	return name != NULL ? name : find_name(builtin, sizeof(builtin) / sizeof(builtin[0]), number);
}

void
protos_near(const struct protos *p, struct near *n)
{
	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
		near_try(n, builtin[i].name);
	for (size_t i = 0; p != NULL && i < p->n; i++)
		near_try(n, p->v[i].name);
}
