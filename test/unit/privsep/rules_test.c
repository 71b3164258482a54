/* The table of the wall: for every type, exactly one shape from one side passes, and everything beside it does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "helper_msg.h"
#include "msg_rules.h"
#include "setup.h"

/* A message of each type that must pass, and who says it in which phase. */
static const struct good {
	uint32_t type;
	enum role from, to;
	enum phase phase;
	size_t len;
	unsigned int nfds;
} good[] = {
	{MSG_CONF_TEXT, ROLE_PARENT, ROLE_CONFIG, PHASE_SETUP, 3, 1},
	{MSG_CONF, ROLE_PARENT, ROLE_SYNC, PHASE_SETUP, 0, 1},
	{MSG_LOG_SINK, ROLE_PARENT, ROLE_LOG, PHASE_SETUP, 0, 1},
	{MSG_LOG_REOPEN, ROLE_PARENT, ROLE_LOG, PHASE_RUN, 0, 0},
	{MSG_START, ROLE_PARENT, ROLE_STATS, PHASE_SETUP, 0, 0},
	{MSG_CHANNEL, ROLE_PARENT, ROLE_SYNC, PHASE_RUN, sizeof(struct msg_channel), 2},
	{MSG_CHANNEL_FAILED, ROLE_LINK, ROLE_SYNC, PHASE_RUN, sizeof(struct msg_error), 0},
	{MSG_CLIENT, ROLE_PARENT, ROLE_STATS, PHASE_RUN, sizeof(struct msg_client), 1},
	{MSG_EVENTS, ROLE_PARENT, ROLE_SYNC, PHASE_RUN, 20, 0},
	{MSG_OVERRUN, ROLE_PARENT, ROLE_SYNC, PHASE_RUN, sizeof(struct msg_overrun), 0},
	{MSG_ANSWER, ROLE_PARENT, ROLE_SYNC, PHASE_RUN, 20, 0},
	{MSG_RESULT, ROLE_PARENT, ROLE_SYNC, PHASE_RUN, 2 * sizeof(struct msg_error), 0},
	{MSG_DUMP, ROLE_PARENT, ROLE_STATS, PHASE_RUN, MSG_DATA_MAX, 0},
	{MSG_DUMP_DONE, ROLE_PARENT, ROLE_SYNC, PHASE_RUN, sizeof(struct msg_dump_done), 0},
	{MSG_STATUS, ROLE_PARENT, ROLE_SYNC, PHASE_RUN, sizeof(struct msg_status), 0},
	{MSG_KEEP_NAME, ROLE_PARENT, ROLE_KEEPER, PHASE_SETUP, 9, 2},
	{MSG_KEEP_WORKER, ROLE_PARENT, ROLE_KEEPER, PHASE_SETUP, 0, 3},
	{MSG_REMOVE, ROLE_PARENT, ROLE_KEEPER, PHASE_RUN, 0, 0},
	{MSG_LINK, ROLE_PARENT, ROLE_LINK, PHASE_SETUP, sizeof(struct msg_link), 0},
	{MSG_LINK_WALL, ROLE_PARENT, ROLE_SYNC, PHASE_SETUP, 0, 1},
	{MSG_PACKET, ROLE_QUEUE, ROLE_HELPER, PHASE_RUN, sizeof(struct msg_packet) + 9, 0},
	{MSG_SETUP, ROLE_CONFIG, ROLE_PARENT, PHASE_SETUP, sizeof(struct msg_setup), 1},
	{MSG_READY, ROLE_LOG, ROLE_PARENT, PHASE_RUN, 0, 0},
	{MSG_REQUEST, ROLE_SYNC, ROLE_PARENT, PHASE_RUN, 20, 0},
	{MSG_REQUEST_QUIET, ROLE_SYNC, ROLE_PARENT, PHASE_RUN, 20, 0},
	{MSG_FLUSH, ROLE_SYNC, ROLE_PARENT, PHASE_RUN, sizeof(struct msg_flush), 0},
	{MSG_DUMP_START, ROLE_SYNC, ROLE_PARENT, PHASE_RUN, sizeof(struct msg_dump_start), 0},
	{MSG_CHANNEL_OPEN, ROLE_SYNC, ROLE_LINK, PHASE_RUN, 0, 0},
	{MSG_STOP, ROLE_STATS, ROLE_PARENT, PHASE_RUN, 0, 0},
	{MSG_VERDICT, ROLE_HELPER, ROLE_QUEUE, PHASE_RUN, sizeof(struct msg_verdict), 0},
};
#define N_GOOD (sizeof(good) / sizeof(good[0]))

static uint8_t payload[MSG_DATA_MAX + 1];

static struct msg
message(const struct good *g)
{
	struct msg m = {.type = g->type, .data = payload, .len = g->len, .nfds = g->nfds};
	uint8_t *table = payload + (g->type == MSG_DUMP_START ? offsetof(struct msg_dump_start, subsys) : 0);

	memset(payload, 0, sizeof(payload));
	table[0] = SUBSYS_CT;
	table[1] = AF_INET;
	return m;
}

static enum admit
admit(const struct good *g, const struct msg *m)
{
	return msg_admit(g->from, g->to, g->phase, m);
}

static void
every_type_has_a_row(void **state)
{
	(void)state;
	assert_int_equal(N_GOOD, MSG_MAX - 1);
	for (size_t i = 0; i < N_GOOD; i++) {
		struct msg m = message(&good[i]);

		assert_int_equal(admit(&good[i], &m), ADMIT_OK);
	}
}

static void
unknown_types(void **state)
{
	struct good g = good[0];
	const uint32_t types[] = {MSG_NONE, MSG_MAX, MSG_MAX + 1, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct msg m = message(&g);

		m.type = types[i];
		assert_int_equal(admit(&g, &m), ADMIT_UNKNOWN);
	}
}

/* Three messages also pass between the parent and the worker that opens links, which is never started. */
static bool
of_links(uint32_t type)
{
	return type == MSG_CHANNEL || type == MSG_CHANNEL_FAILED || type == MSG_CHANNEL_OPEN;
}

static void
messages_of_links(void **state)
{
	const enum role others[] = {ROLE_CONFIG, ROLE_LOG, ROLE_STATS, ROLE_HELPER, ROLE_SYNC, ROLE_LINK};

	(void)state;
	for (size_t i = 0; i < N_GOOD; i++) {
		const struct good *g = &good[i];
		struct msg m = message(g);

		if (!of_links(g->type))
			continue;
		assert_int_equal(msg_admit(ROLE_SYNC, ROLE_LINK, PHASE_RUN, &m),
				 g->type == MSG_CHANNEL_OPEN ? ADMIT_OK : ADMIT_SENDER);
		assert_int_equal(msg_admit(ROLE_LINK, ROLE_SYNC, PHASE_RUN, &m),
				 g->type != MSG_CHANNEL_OPEN ? ADMIT_OK : ADMIT_SENDER);
		for (size_t o = 0; o < sizeof(others) / sizeof(others[0]); o++) /* the parent has no part in it */
			assert_int_equal(msg_admit(others[o], ROLE_PARENT, PHASE_RUN, &m), ADMIT_SENDER);
	}
}

/* No worker may say what the parent says, or what a worker of another kind does; nor to anybody but the parent. */
static void
wrong_senders(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_GOOD; i++)
		for (enum role r = ROLE_PARENT; r < ROLE_MAX; r++) {
			struct msg m = message(&good[i]);
			bool both_serve = (r == ROLE_SYNC || r == ROLE_STATS) &&
					  (good[i].from == ROLE_SYNC || good[i].from == ROLE_STATS);
			enum admit a = msg_admit(r, good[i].to, good[i].phase, &m);

			if (of_links(good[i].type))
				continue;
			if (good[i].type == MSG_READY)
				assert_int_equal(a == ADMIT_OK,
						 r != ROLE_PARENT && r != ROLE_CONFIG && r != ROLE_QUEUE);
			else if (r != good[i].from && !both_serve && (r != ROLE_QUEUE || good[i].type != MSG_START))
				assert_int_equal(a, ADMIT_SENDER);
			if (good[i].from != ROLE_PARENT && r != good[i].to && r != ROLE_QUEUE)
				assert_int_equal(msg_admit(good[i].from, r, good[i].phase, &m), ADMIT_SENDER);
		}
}

/* Helpers have a parent of their own: they start and report there, and packets and verdicts pass there alone. */
static void
messages_of_helpers(void **state)
{
	const struct {
		uint32_t type;
		enum role from, to;
		size_t len;
	} ok[] = {
		{MSG_START, ROLE_QUEUE, ROLE_HELPER, 0},
		{MSG_READY, ROLE_HELPER, ROLE_QUEUE, 0},
		{MSG_PACKET, ROLE_QUEUE, ROLE_HELPER, sizeof(struct msg_packet)},
		{MSG_VERDICT, ROLE_HELPER, ROLE_QUEUE, sizeof(struct msg_verdict)},
	};

	(void)state;
	memset(payload, 0, sizeof(payload));
	for (uint32_t type = MSG_NONE + 1; type < MSG_MAX; type++)
		for (enum role r = ROLE_PARENT; r < ROLE_MAX; r++) {
			struct msg m = {.type = type, .data = payload};
			bool said = false, heard = false;

			for (size_t i = 0; i < sizeof(ok) / sizeof(ok[0]); i++)
				if (ok[i].type == type) {
					enum phase phase = type == MSG_START ? PHASE_SETUP : PHASE_RUN;

					said = ok[i].from == ROLE_QUEUE;
					heard = !said;
					m.len = ok[i].len;
					assert_int_equal(msg_admit(ok[i].from, ok[i].to, phase, &m), ADMIT_OK);
				}
			if (!said)
				assert_int_equal(msg_admit(ROLE_QUEUE, r, PHASE_RUN, &m), ADMIT_SENDER);
			if (!heard)
				assert_int_equal(msg_admit(r, ROLE_QUEUE, PHASE_RUN, &m), ADMIT_SENDER);
			if (type == MSG_PACKET && r != ROLE_QUEUE)
				assert_int_equal(msg_admit(r, ROLE_HELPER, PHASE_RUN, &m), ADMIT_SENDER);
			if (type == MSG_VERDICT && r != ROLE_QUEUE)
				assert_int_equal(msg_admit(ROLE_HELPER, r, PHASE_RUN, &m), ADMIT_SENDER);
		}
}

static void
wrong_phase(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_GOOD; i++) {
		struct msg m = message(&good[i]);
		enum phase other = good[i].phase == PHASE_RUN ? PHASE_SETUP : PHASE_RUN;

		assert_int_equal(msg_admit(good[i].from, good[i].to, other, &m),
				 good[i].type == MSG_READY || of_links(good[i].type) ? ADMIT_OK : ADMIT_PHASE);
	}
}

static void
wrong_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_GOOD; i++) {
		struct msg m = message(&good[i]);

		m.len = MSG_DATA_MAX + 1;
		assert_int_equal(admit(&good[i], &m), ADMIT_LENGTH);
		m.len = good[i].len - 1;
		if (good[i].type != MSG_CONF_TEXT && good[i].type != MSG_DUMP && good[i].type != MSG_PACKET &&
		    good[i].type != MSG_KEEP_NAME && good[i].len > 0)
			assert_int_equal(admit(&good[i], &m), ADMIT_LENGTH);
		m.len = good[i].len + 1; /* no multiple either */
		if (m.len != 21 && good[i].type != MSG_CONF_TEXT && good[i].type != MSG_PACKET &&
		    good[i].type != MSG_KEEP_NAME)
			assert_int_equal(admit(&good[i], &m), ADMIT_LENGTH);
	}
}

static void
wrong_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_GOOD; i++)
		for (unsigned int n = 0; n <= CHAN_FDS_MAX; n++) {
			struct msg m = message(&good[i]);

			m.nfds = n;
			assert_int_equal(admit(&good[i], &m), n == good[i].nfds ? ADMIT_OK : ADMIT_FDS);
		}
}

static enum admit
with(uint32_t type, uint32_t arg, size_t at, uint8_t value)
{
	for (size_t i = 0; i < N_GOOD; i++)
		if (good[i].type == type) {
			struct msg m = message(&good[i]);

			m.arg = arg;
			if (value != 0)
				payload[at] = value;
			return admit(&good[i], &m);
		}
	return ADMIT_MAX;
}

static void
wrong_content(void **state)
{
	(void)state;
	assert_int_equal(with(MSG_CHANNEL_OPEN, MSG_LINKS_MAX, 0, 0), ADMIT_CONTENT);
	assert_int_equal(with(MSG_CHANNEL_OPEN, UINT32_MAX, 0, 0), ADMIT_CONTENT);
	assert_int_equal(with(MSG_READY, READY_ALIVE + 1, 0, 0), ADMIT_CONTENT);
	assert_int_equal(with(MSG_STOP, 1, 0, 0), ADMIT_CONTENT);
	assert_int_equal(with(MSG_REQUEST, UINT32_MAX, 0, 0), ADMIT_OK); /* a batch may have any number */
	assert_int_equal(with(MSG_FLUSH, 1, 0, SUBSYS_EXP), ADMIT_OK);
	assert_int_equal(with(MSG_FLUSH, 1, 0, SUBSYS_EXP + 1), ADMIT_CONTENT);
	assert_int_equal(with(MSG_FLUSH, 1, 1, AF_UNIX), ADMIT_CONTENT);
	assert_int_equal(with(MSG_FLUSH, 1, 2, 1), ADMIT_CONTENT);
	assert_int_equal(with(MSG_DUMP_START, 0, 4, 7), ADMIT_CONTENT);
	assert_int_equal(with(MSG_DUMP_START, 0, 5, AF_INET6), ADMIT_OK);
	assert_int_equal(with(MSG_DUMP_START, 0, 7, 1), ADMIT_CONTENT);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(msg_admit_name(ADMIT_PHASE), "phase");
	assert_string_equal(msg_admit_name(ADMIT_MAX), "?");
	assert_string_equal(role_name(ROLE_HELPER), "helper");
	assert_string_equal(role_name(ROLE_MAX), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_row), cmocka_unit_test(unknown_types),
		cmocka_unit_test(wrong_senders),        cmocka_unit_test(wrong_phase),
		cmocka_unit_test(wrong_length),         cmocka_unit_test(wrong_descriptors),
		cmocka_unit_test(wrong_content),        cmocka_unit_test(messages_of_links),
		cmocka_unit_test(messages_of_helpers),  cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
