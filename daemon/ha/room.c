/*
 * The kernel's figures of its table.
 */
#include "room.h"

#include <assert.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include "nla.h"

#define STATS_TYPE (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS)

struct room_request
room_ask(void)
{
	const struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} m = {{sizeof(m), STATS_TYPE, NLM_F_REQUEST, 1, 0}, {AF_INET, NFNETLINK_V0, 0}};
	struct room_request r = {{0}};

	static_assert(sizeof(m) == sizeof(r.data), "a message without attributes");
	memcpy(r.data, &m, sizeof(m));
	return r;
}

uint32_t
room_of(const void *answer, size_t len)
{
	struct nlmsghdr h;
	uint32_t entries = 0, limit = 0, most;
	struct nla a;
	struct rd r;

	if (len < sizeof(h))
		return ROOM_UNKNOWN;
	memcpy(&h, answer, sizeof(h));
	if (h.nlmsg_type != STATS_TYPE || h.nlmsg_len > len)
		return ROOM_UNKNOWN;
	r = nla_msg_attrs(answer, NULL);
	while (nla_next(&r, &a))
		if (a.type == CTA_STATS_GLOBAL_ENTRIES && a.len == sizeof(entries))
			entries = nla_be32(&a);
		else if (a.type == CTA_STATS_GLOBAL_MAX_ENTRIES && a.len == sizeof(limit))
			limit = nla_be32(&a);
	if (r.bad || limit == 0)
		return ROOM_UNKNOWN;
	most = limit - limit / ROOM_SPARED;
	return most > entries ? most - entries : 0;
}

void
room_share(uint32_t room, const uint32_t held[APPLY_SOURCES], uint32_t quota[APPLY_SOURCES])
{
	uint64_t total = 0;
	uint32_t left = room, n = 0, given;

	for (int i = 0; i < APPLY_SOURCES; i++) {
		total += held[i];
		n += held[i] > 0;
		quota[i] = 0;
	}
	for (int i = 0; total <= room && i < APPLY_SOURCES; i++)
		quota[i] = room; /* and what comes meanwhile */
	for (given = 1; total > room && given > 0 && n > 0;) {
		const uint32_t equal = left / n;

		given = 0;
		for (int i = 0; i < APPLY_SOURCES; i++)
			if (held[i] > 0 && quota[i] == 0 && held[i] <= equal) {
				quota[i] = held[i];
				left -= held[i];
				given++;
			}
		n -= given;
	}
	for (int i = 0; total > room && n > 0 && i < APPLY_SOURCES; i++)
		if (held[i] > 0 && quota[i] == 0)
			quota[i] = left / n;
}
