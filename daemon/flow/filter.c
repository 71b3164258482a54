/*
 * Which flows are replicated. Built from the settings once, asked for every event. Lists may be long: networks are kept
 * sorted per prefix length, so an address costs one binary search per length in use.
 */
#include "filter.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct group {
	uint8_t family, prefix;
	uint32_t first, count; /* in net */
};

struct filter {
	enum filter_policy proto_policy, addr_policy, state_policy;
	uint8_t proto[32];
	uint16_t tcp_states;
	struct conf_net *net; /* sorted by family, prefix, address */
	struct group *group;
	uint32_t n_groups;
};

static int
net_cmp(const void *pa, const void *pb)
{
	const struct conf_net *a = pa, *b = pb;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* Lets net[at] sink to its place in the heap of n. */
static void
sift(struct conf_net *net, size_t at, size_t n)
{
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		struct conf_net upper = net[at];

		if (child + 1 < n && net_cmp(&net[child], &net[child + 1]) < 0)
			child++;
		if (net_cmp(&upper, &net[child]) >= 0)
			return;
		net[at] = net[child];
		net[child] = upper;
	}
}

/* Not qsort(): from 1 KiB on it asks for the size of memory, a call that the jail bans. */
static void
nets_sort(struct conf_net *net, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(net, i, n);
	for (size_t last = n; last-- > 1;) {
		struct conf_net largest = net[0];

		net[0] = net[last];
		net[last] = largest;
		sift(net, 0, last);
	}
}

static int
filter_take_nets(struct filter *f, const struct conf_net *net, uint32_t n)
{
	if (n == 0)
		return 0;
	f->net = malloc(n * sizeof(*net));
	f->group = calloc(n, sizeof(*f->group));
	if (f->net == NULL || f->group == NULL)
		return -1;
	memcpy(f->net, net, n * sizeof(*net));
	for (uint32_t i = 0; i < n; i++)
		if (f->net[i].family == AF_INET)
			memset(f->net[i].addr + 4, 0, sizeof(f->net[i].addr) - 4);
	nets_sort(f->net, n);
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = f->n_groups > 0 ? &f->group[f->n_groups - 1] : NULL;

		if (g == NULL || g->family != f->net[i].family || g->prefix != f->net[i].prefix)
			f->group[f->n_groups++] = (struct group){f->net[i].family, f->net[i].prefix, i, 1};
		else
			g->count++;
	}
	return 0;
}

struct filter *
filter_new(const struct conf_filter *conf)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->proto_policy = conf->proto_policy;
	f->addr_policy = conf->addr_policy;
	f->state_policy = conf->state_policy;
	f->tcp_states = conf->tcp_states;
	memcpy(f->proto, conf->proto, sizeof(f->proto));
	if (filter_take_nets(f, conf->net, conf->n_nets) < 0) {
		filter_free(f);
		return NULL;
	}
	return f;
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	free(f->net);
	free(f->group);
	free(f);
}

static void
mask_addr(uint8_t addr[16], unsigned int prefix)
{
	for (unsigned int i = 0; i < 16; i++, prefix -= prefix < 8 ? prefix : 8)
		if (prefix < 8)
			addr[i] &= (uint8_t)(0xff00 >> prefix);
}

static bool
addr_listed(const struct filter *f, const struct flow *flow, enum flow_addr which)
{
	struct conf_net key = {.family = flow->l3};

	for (uint32_t i = 0; i < f->n_groups; i++) {
		const struct group *g = &f->group[i];

		if (g->family != flow->l3)
			continue;
		key.prefix = g->prefix;
		memset(key.addr, 0, sizeof(key.addr));
		memcpy(key.addr, flow_addr(flow, which), flow_words(flow) * sizeof(uint32_t));
		mask_addr(key.addr, g->prefix);
		if (bsearch(&key, f->net + g->first, g->count, sizeof(key), net_cmp) != NULL)
			return true;
	}
	return false;
}

/* listed or not, and what the list is for */
static bool
admits(enum filter_policy policy, bool listed)
{
	return policy == FILTER_OFF || (policy == FILTER_ACCEPT) == listed;
}

static bool
addr_passes(const struct filter *f, const struct flow *flow)
{
	if (f->addr_policy == FILTER_OFF)
		return true;
	return admits(f->addr_policy,
		      addr_listed(f, flow, ORIG_SRC) || (flow->have & FLOW_REPLY && addr_listed(f, flow, REPL_SRC)));
}

static bool
state_passes(const struct filter *f, const struct flow *flow)
{
	if (flow->l4 != IPPROTO_TCP || !(flow->have & FLOW_STATE))
		return true;
	return admits(f->state_policy, flow->state < 16 && f->tcp_states >> flow->state & 1);
}

bool
filter_passes(const struct filter *f, const struct flow *flow, bool deletion)
{
	return admits(f->proto_policy, f->proto[flow->l4 / 8] >> flow->l4 % 8 & 1) && addr_passes(f, flow) &&
	       (deletion || state_passes(f, flow));
}
