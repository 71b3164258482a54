/*
 * Protocol names for the `Protocol' list of the Filter.
 */
#include "protos.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define PROTOS_MAX 4096

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

int
protos_load(struct protos *p)
{
	struct protoent *e;
	int r = 0;

	*p = (struct protos){0};
	setprotoent(1);
	while (r == 0 && (e = getprotoent()) != NULL) {
		r = protos_add(p, e->p_name, e->p_proto);
		for (char **alias = e->p_aliases; r == 0 && *alias != NULL; alias++)
			r = protos_add(p, *alias, e->p_proto);
	}
	endprotoent();
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
