/*
 * Flows written into a real kernel and read back: every protocol, every kind of NAT, both families. Then the same
 * as a take-over does it: what the kernel reports goes over the wire and into an empty kernel, and must be the same
 * flow there. Runs in a network namespace of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flow_nl.h"
#include "nltest.h"
#include "wire.h"

#define NAT_BITS (IPS_SRC_NAT | IPS_DST_NAT)

static struct mnl_socket *nl;
static const struct flow_nl_opts plain;

struct found {
	struct flow f;
	struct flow_side side;
	int count;
	uint8_t tcp_flags[2];
};

static int
on_tcp(const struct nlattr *a, void *data)
{
	struct found *found = data;
	const uint16_t type = mnl_attr_get_type(a);

	if (type == CTA_PROTOINFO_TCP_FLAGS_ORIGINAL || type == CTA_PROTOINFO_TCP_FLAGS_REPLY)
		found->tcp_flags[type - CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] = *(uint8_t *)mnl_attr_get_payload(a);
	return MNL_CB_OK;
}

static int
into_tcp(const struct nlattr *a, void *data)
{
	return mnl_attr_get_type(a) == CTA_PROTOINFO_TCP ? mnl_attr_parse_nested(a, on_tcp, data) : MNL_CB_OK;
}

static int
into_protoinfo(const struct nlattr *a, void *data)
{
	return mnl_attr_get_type(a) == CTA_PROTOINFO ? mnl_attr_parse_nested(a, into_tcp, data) : MNL_CB_OK;
}

static int
on_flow(const struct nlmsghdr *nlh, void *data)
{
	struct found *found = data;

	assert_int_equal(flow_from_nl(nlh, &found->f, &found->side), 0);
	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), into_protoinfo, found);
	found->count++;
	return MNL_CB_OK;
}

static int
write_flow(const struct flow *f, enum flow_nl_op op, const struct flow_nl_opts *o)
{
	uint8_t buf[2048] __attribute__((aligned(4)));
	const int n = flow_to_nl(f, op, o, 1, buf, sizeof(buf));

	return n < 0 ? n : nltest_talk(nl, buf, NULL, NULL);
}

/* By its tuple: walking the table takes long where other namespaces have many flows. */
static struct found *
read_flow(const struct flow *f)
{
	static struct found found[2];
	static int turn;
	struct found *at = &found[turn ^= 1];
	uint8_t buf[512] __attribute__((aligned(4)));

	memset(at, 0, sizeof(*at));
	assert_true(flow_to_nl(f, FLOW_NL_GET, &plain, 1, buf, sizeof(buf)) > 0);
	assert_int_equal(nltest_talk(nl, buf, on_flow, at), 0);
	assert_int_equal(at->count, 1);
	return at;
}

static void
remove_flow(const struct flow *f)
{
	struct flow key = *f;

	key.have &= ~(uint32_t)FLOW_ID;
	assert_int_equal(write_flow(&key, FLOW_NL_DELETE, &plain), 0);
}

static struct flow
base_flow(int family, uint8_t l4)
{
	struct flow f = {.l3 = (uint8_t)family, .l4 = l4, .timeout = 300, .mark = 0xcafe, .state = 3};
	const char *src = family == AF_INET ? "192.0.2.10" : "2001:db8:c::10";
	const char *dst = family == AF_INET ? "198.51.100.20" : "2001:db8:5::20";

	f.have = FLOW_STATUS | FLOW_TIMEOUT | FLOW_MARK | FLOW_PORTS;
	f.status = IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED;
	inet_pton(family, src, f.addr);
	inet_pton(family, dst, f.addr + flow_words(&f));
	if (l4 != 50 && l4 != 89 && l4 != 33) {
		f.port[0] = htons(40000);
		f.port[1] = htons(80);
	}
	if (flow_is_icmp(l4))
		memcpy(&f.port[1], family == AF_INET ? "\x08\0" : "\x80\0", 2);
	if (l4 == 6 || l4 == 132 || l4 == 33)
		f.have |= FLOW_STATE;
	if (l4 == 132)
		f.vtag[0] = 0x11223344, f.vtag[1] = 0x55667788;
	return f;
}

static struct flow_nat
some_nat(int family, unsigned int kinds)
{
	struct flow_nat n = {.snat = kinds & 1, .dnat = kinds & 2, .spat = kinds & 4, .dpat = kinds & 8};

	inet_pton(family, family == AF_INET ? "203.0.113.5" : "2001:db8:ffff::5", n.snat_addr);
	inet_pton(family, family == AF_INET ? "10.0.0.80" : "2001:db8:a::80", n.dnat_addr);
	n.spat_port = htons(50000);
	n.dpat_port = htons(8080);
	return n;
}

/* Compared with the flow that was written. */
static void
check_written(const struct found *found, const struct flow *f, const struct flow_nat *nat)
{
	const uint32_t bits = (nat->snat || nat->spat ? IPS_SRC_NAT : 0) | (nat->dnat || nat->dpat ? IPS_DST_NAT : 0);

	assert_true(flow_same_key(&found->f, f));
	assert_memory_equal(flow_addr(&found->f, REPL_SRC), flow_addr(f, REPL_SRC), 8 * flow_words(f));
	assert_int_equal(found->f.port[2], f->port[2]);
	assert_int_equal(found->f.port[3], f->port[3]);
	assert_int_equal(found->f.status & NAT_BITS, bits);
	assert_int_equal(found->f.status & 0xf, f->status & 0xf);
	assert_int_equal(found->f.mark, f->mark);
	assert_int_equal(found->f.zone, f->zone);
	assert_in_range(found->f.timeout, f->timeout - 5, f->timeout);
	if (f->have & FLOW_STATE && found->f.have & FLOW_STATE) {
		assert_int_equal(found->f.state, f->state);
		assert_memory_equal(found->f.vtag, f->vtag, sizeof(f->vtag));
	}
}

/* Kernel, wire, empty kernel: the flow there is the flow here. */
static void
check_takeover(const struct found *here)
{
	const struct wire_enc_opts o = {.wscale = false};
	uint8_t msg[WIRE_MSG_MAX];
	struct flow_side side;
	struct found *there;
	struct flow f;
	const int n = wire_enc_flow(&here->f, WIRE_CT_UPD, 0, 1, &o, msg, sizeof(msg));

	assert_true(n > 0);
	assert_int_equal(wire_dec_flow(msg + 8, (size_t)n - 8, &f, &side, NULL), WIRE_OK);
	remove_flow(&here->f);
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), 0);
	there = read_flow(&f);
	assert_true(flow_equal(&there->f, &here->f));
}

static void
try_flow(int family, uint8_t l4, unsigned int kinds, uint16_t zone)
{
	struct flow f = base_flow(family, l4);
	struct flow_nat nat = some_nat(family, kinds);
	struct found *found;
	int r;

	f.zone = zone;
	f.have |= zone != 0 ? FLOW_ZONE : 0;
	flow_derive_reply(&f, &nat);
	if ((r = write_flow(&f, FLOW_NL_CREATE, &plain)) < 0)
		fail_msg("family %d protocol %d nat %u: %s", family, l4, kinds, strerror(-r));
	found = read_flow(&f);
	check_written(found, &f, &nat);
	if (l4 != 47 && l4 != 136) /* keys and ports that version 1 does not carry */
		check_takeover(found);
	remove_flow(&f);
}

static void
protocols_and_nat(void **state)
{
	static const struct {
		uint8_t l4, family;
		unsigned int kinds; /* of translation that the protocol knows */
	} protos[] = {
		{6, 0, 15},        {17, 0, 15}, {132, 0, 15}, {136, 0, 15},     {1, AF_INET, 7},
		{58, AF_INET6, 7}, {50, 0, 3},  {89, 0, 3},   {47, AF_INET, 3}, {47, AF_INET6, 3},
	};
	int tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET)
			for (unsigned int kinds = 0; kinds < 16; kinds++) {
				if ((kinds & ~protos[i].kinds) != 0 ||
				    (protos[i].family != 0 && protos[i].family != family))
					continue;
				/* an id is translated together with the source */
				if (flow_is_icmp(protos[i].l4) && kinds & 4 && !(kinds & 1))
					continue;
				try_flow(family, protos[i].l4, kinds, kinds & 1 ? 0 : 258);
				tried++;
			}
	assert_true(tried > 100);
}

static void
tcp_details(void **state)
{
	const struct flow_nl_opts liberal = {.tcp_liberal = true, .timeout = 77};
	struct flow f = base_flow(AF_INET, 6);
	struct found *found;

	(void)state;
	flow_derive_reply(&f, NULL);
	f.have |= FLOW_WSCALE;
	f.wscale[0] = 7;
	f.wscale[1] = 9;
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &liberal), 0);
	found = read_flow(&f);
	assert_int_equal(found->f.wscale[0], 7);
	assert_int_equal(found->f.wscale[1], 9);
	assert_int_equal(found->tcp_flags[0], IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_WINDOW_SCALE);
	assert_int_equal(found->tcp_flags[1], IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_WINDOW_SCALE);
	assert_in_range(found->f.timeout, 70, 77);
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), -EEXIST);
	f.state = 4;
	f.mark = 5;
	assert_int_equal(write_flow(&f, FLOW_NL_UPDATE, &plain), 0);
	found = read_flow(&f);
	assert_int_equal(found->f.state, 4);
	assert_int_equal(found->f.mark, 5);
	assert_in_range(found->f.timeout, 290, 300);
	f.state = 10;
	assert_int_equal(write_flow(&f, FLOW_NL_UPDATE, &plain), -EINVAL); /* refused before the kernel sees it */
	remove_flow(&f);
}

static void
all_states(void **state)
{
	static const uint8_t l4[] = {6, 132, 33};
	struct found *found;

	(void)state;
	for (size_t i = 0; i < sizeof(l4); i++)
		for (unsigned int s = 0; s < 256; s++) {
			struct flow f = base_flow(AF_INET, l4[i]);
			int r;

			f.state = (uint8_t)s;
			flow_derive_reply(&f, NULL);
			r = write_flow(&f, FLOW_NL_CREATE, &plain);
			if (r == -EINVAL && s > (l4[i] == 6 ? 9U : l4[i] == 132 ? 8U : 7U))
				continue;
			assert_int_equal(r, 0);
			found = read_flow(&f);
			if (l4[i] != 33) /* newer kernels do not track DCCP */
				assert_int_equal(found->f.state, s);
			remove_flow(&f);
		}
}

/* Any status a peer may claim is accepted, and only the harmless part of it taken over. */
static void
all_status_bits(void **state)
{
	const uint32_t kept = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED | IPS_FIXED_TIMEOUT | IPS_HELPER;
	struct found *found;

	(void)state;
	for (unsigned int bit = 0; bit <= 32; bit++) {
		struct flow f = base_flow(AF_INET, 17);

		f.status = bit < 32 ? 1U << bit : ~0U;
		flow_derive_reply(&f, NULL);
		assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), 0);
		found = read_flow(&f);
		assert_int_equal(found->f.status, (f.status & kept) | IPS_CONFIRMED);
		remove_flow(&f);
	}
}

static void
delete_and_get(void **state)
{
	struct flow f = base_flow(AF_INET6, 17), other;
	uint8_t buf[512] __attribute__((aligned(4)));
	struct found got = {.count = 0}, *found;

	(void)state;
	flow_derive_reply(&f, NULL);
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), 0);
	other = f;
	other.port[0]++;
	other.have |= FLOW_ZONE;
	other.zone = 3;
	assert_int_equal(write_flow(&other, FLOW_NL_CREATE, &plain), 0);
	assert_true(flow_to_nl(&other, FLOW_NL_GET, &plain, 1, buf, sizeof(buf)) > 0);
	assert_int_equal(nltest_talk(nl, buf, on_flow, &got), 0);
	assert_true(flow_same_key(&got.f, &other));
	other.have |= FLOW_ID;
	other.id = got.f.id + 1;
	assert_int_equal(write_flow(&other, FLOW_NL_DELETE, &plain), -ENOENT); /* not the same incarnation */
	assert_int_equal(write_flow(&got.f, FLOW_NL_DELETE, &plain), 0);
	found = read_flow(&f);
	assert_true(flow_same_key(&found->f, &f));
	assert_int_equal(write_flow(&got.f, FLOW_NL_DELETE, &plain), -ENOENT);
	assert_int_equal(write_flow(&f, FLOW_NL_DELETE, &plain), 0);
}

static void
sequence_adjustment_and_synproxy(void **state)
{
	struct flow_side side = {.seqadj = {{1009, 0, 2}, {7, (uint32_t)-3, 4}}, .its = 1, .isn = 2, .tsoff = 3};
	struct flow f = base_flow(AF_INET, 6);
	const struct flow_nat nat = some_nat(AF_INET, 1);
	struct found *found;

	(void)state;
	f.have |= FLOW_SEQADJ | FLOW_SYNPROXY;
	f.side = &side;
	flow_derive_reply(&f, &nat);
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), 0);
	found = read_flow(&f);
	assert_true(found->f.status & IPS_SEQ_ADJUST);
	assert_true(found->f.have & FLOW_SEQADJ && found->f.have & FLOW_SYNPROXY);
	assert_memory_equal(found->side.seqadj, side.seqadj, sizeof(side.seqadj));
	assert_int_equal(found->side.its, 1);
	assert_int_equal(found->side.isn, 2);
	assert_int_equal(found->side.tsoff, 3);
	check_takeover(found);
	remove_flow(&f);
}

static void
related_flows(void **state)
{
	struct flow master = base_flow(AF_INET, 6), f = base_flow(AF_INET, 6);
	struct flow_side side = {.master_l4 = 6, .master_has_ports = 1};
	struct found found = {.count = 0};
	uint8_t buf[1024] __attribute__((aligned(4)));

	(void)state;
	flow_derive_reply(&master, NULL);
	f.port[0] = htons(20);
	f.port[1] = htons(51210);
	f.status |= IPS_EXPECTED;
	flow_derive_reply(&f, NULL);
	f.have |= FLOW_MASTER;
	f.side = &side;
	memcpy(side.master_addr, master.addr, 8);
	memcpy(side.master_port, master.port, 4);
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), -ENOENT); /* master first */
	assert_int_equal(write_flow(&master, FLOW_NL_CREATE, &plain), 0);
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), 0);
	assert_true(flow_to_nl(&f, FLOW_NL_GET, &plain, 1, buf, sizeof(buf)) > 0);
	assert_int_equal(nltest_talk(nl, buf, on_flow, &found), 0);
	assert_true(found.f.have & FLOW_MASTER && found.f.status & IPS_EXPECTED);
	assert_memory_equal(found.side.master_addr, side.master_addr, 8);
	assert_memory_equal(found.side.master_port, side.master_port, 4);
	f.mark = 9;
	assert_int_equal(write_flow(&f, FLOW_NL_UPDATE, &plain), 0); /* EXPECTED must be as the kernel has it */
	remove_flow(&f);
	remove_flow(&master);
}

static void
labels(void **state)
{
	struct flow_side side = {.label = {1U << 5, 0, 0, 1U << 4}};
	struct flow f = base_flow(AF_INET, 17);
	struct found *found;

	(void)state;
	/* the kernel keeps labels only when a rule uses them */
	assert_int_equal(system("nft 'add table ip l; add chain ip l c { type filter hook input priority 0; };"
				" add rule ip l c ct label set 5'"),
			 0);
	f.have |= FLOW_LABELS;
	f.side = &side;
	flow_derive_reply(&f, NULL);
	assert_int_equal(write_flow(&f, FLOW_NL_CREATE, &plain), 0);
	found = read_flow(&f);
	assert_true(found->f.have & FLOW_LABELS);
	assert_memory_equal(found->side.label, side.label, sizeof(side.label));
	side.label[1] = 7;
	assert_int_equal(write_flow(&f, FLOW_NL_UPDATE, &plain), 0);
	found = read_flow(&f);
	assert_memory_equal(found->side.label, side.label, sizeof(side.label));
	check_takeover(found);
	remove_flow(&f);
}

struct found_expect {
	struct expect e;
	int count;
};

static int
on_expect(const struct nlmsghdr *nlh, void *data)
{
	struct found_expect *found = data;

	assert_int_equal(expect_from_nl(nlh, &found->e), 0);
	found->count++;
	return MNL_CB_OK;
}

static struct found_expect
read_only_expect(uint8_t family)
{
	struct found_expect found = {.count = 0};

	assert_int_equal(nltest_dump(nl, NFNL_SUBSYS_CTNETLINK_EXP, family, on_expect, &found), 0);
	return found;
}

static int
write_expect(const struct expect *e, enum flow_nl_op op)
{
	uint8_t buf[2048] __attribute__((aligned(4)));
	const int n = expect_to_nl(e, op, 0, 1, buf, sizeof(buf));

	return n < 0 ? n : nltest_talk(nl, buf, NULL, NULL);
}

static void
try_expect(int family, bool nat)
{
	struct flow master = base_flow(family, 6);
	struct flow_side side = {.helper = "ftp"};
	struct expect e = {.l3 = (uint8_t)family, .timeout = 250};
	struct found_expect here, there;
	const size_t len = 4 * flow_words(&master);
	int r;

	master.port[1] = htons(21);
	master.have |= FLOW_HELPER;
	master.side = &side;
	flow_derive_reply(&master, NULL);
	if ((r = write_flow(&master, FLOW_NL_CREATE, &plain)) == -EOPNOTSUPP)
		skip(); /* no FTP helper in this kernel */
	assert_int_equal(r, 0);
	e.have = EXPECT_TIMEOUT | EXPECT_CLASS | EXPECT_HELPER;
	e.master.l4 = e.tuple.l4 = e.mask.l4 = 6;
	e.master.sport = master.port[0];
	e.master.dport = master.port[1];
	e.tuple.dport = htons(51210);
	e.mask.dport = 0xffff;
	memcpy(e.master.src, master.addr, len);
	memcpy(e.master.dst, master.addr + flow_words(&master), len);
	memcpy(e.tuple.src, e.master.dst, len);
	memcpy(e.tuple.dst, e.master.src, len);
	memset(e.mask.src, 0xff, len);
	memset(e.mask.dst, 0xff, len);
	strcpy(e.helper, "ftp");
	if (nat) {
		e.have |= EXPECT_NAT | EXPECT_FN;
		e.nat = (struct flow_tuple){.l4 = 6, .sport = htons(51210)};
		e.nat_dir = 1;
		strcpy(e.fn, "nat-follow-master");
	}
	if ((r = write_expect(&e, FLOW_NL_CREATE)) != 0)
		fail_msg("family %d nat %d: %s", family, nat, strerror(-r));
	here = read_only_expect((uint8_t)family);
	assert_int_equal(here.count, 1);
	here.e.have &= ~(uint32_t)EXPECT_ID;
	assert_in_range(here.e.timeout, 240, 300); /* the helper's policy has the last word */
	assert_true(expect_same_key(&here.e, &e));
	assert_int_equal(write_expect(&here.e, FLOW_NL_DELETE), 0);
	assert_int_equal(read_only_expect((uint8_t)family).count, 0);
	assert_int_equal(write_expect(&here.e, FLOW_NL_CREATE), 0);
	there = read_only_expect((uint8_t)family);
	assert_true(expect_same_key(&there.e, &here.e));
	remove_flow(&master);
}

static void
expectations(void **state)
{
	(void)state;
	try_expect(AF_INET, false);
	try_expect(AF_INET, true);
	try_expect(AF_INET6, false);
	try_expect(AF_INET6, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_and_nat), cmocka_unit_test(tcp_details),
		cmocka_unit_test(all_states),        cmocka_unit_test(all_status_bits),
		cmocka_unit_test(delete_and_get),    cmocka_unit_test(sequence_adjustment_and_synproxy),
		cmocka_unit_test(related_flows),     cmocka_unit_test(labels),
		cmocka_unit_test(expectations),
	};
	int r;

	if (!nltest_enter() || (nl = nltest_open(0)) == NULL) {
		puts("skipped: needs the right to make a network namespace, and ctnetlink in the kernel");
		return 77;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	mnl_socket_close(nl);
	return r;
}
