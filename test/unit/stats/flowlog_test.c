/* Lines of the flow log: daemon/stats/flowlog.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "flow_nl.h"
#include "flowlog.h"

#define NOW 1795046516 /* Thu Nov 19 00:01:56 2026 UTC */

static int reader;

static struct flowlog *
new_log(void)
{
	struct flowlog *l;
	int sv[2];

	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	reader = sv[0];
	assert_non_null(l = flowlog_new(sv[1]));
	return l;
}

static struct flow
tcp_flow(uint16_t port)
{
	struct flow f = {.have = FLOW_STATUS | FLOW_STATE | FLOW_PORTS | FLOW_REPLY | FLOW_TIMEOUT,
			 .status = 6,
			 .timeout = 100,
			 .state = 3,
			 .l3 = AF_INET,
			 .l4 = IPPROTO_TCP};
	struct flow_nat nat = {0};

	f.addr[ORIG_SRC] = inet_addr("10.1.0.2");
	f.addr[ORIG_DST] = inet_addr("10.2.0.2");
	f.port[0] = htons(port);
	f.port[1] = htons(80);
	flow_derive_reply(&f, &nat);
	return f;
}

static void
expect_text(const char *text)
{
	char got[FLOWLOG_RECORD + 1];
	ssize_t n = recv(reader, got, sizeof(got) - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void
text_of_1_4_x(void **state)
{
	struct flowlog *l = new_log();
	struct flow f = tcp_flow(1000);
	const struct flow_nl_opts o = {0};
	_Alignas(8) uint8_t event[1024];
	char want[512], when[64];
	time_t now = NOW;

	(void)state;
	strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", gmtime(&now));
	snprintf(want, sizeof(want),
		 "%s\ttcp      6 ESTABLISHED src=10.1.0.2 dst=10.2.0.2 sport=1000 dport=80 src=10.2.0.2 dst=10.1.0.2 "
		 "sport=80 dport=1000 [ASSURED]\n",
		 when);
	flowlog_add_known(l, &f, now);
	assert_false(flowlog_flush(l));
	expect_text(want);

	assert_true(flow_to_nl(&f, FLOW_NL_DELETE, &o, 1, event, sizeof(event)) > 0);
	flowlog_add(l, (const struct nlmsghdr *)(const void *)event, now);
	assert_false(flowlog_flush(l));
	snprintf(want, sizeof(want), "%s\ttcp      6 src=10.1.0.2 dst=10.2.0.2 sport=1000 dport=80", when);
	{
		char got[1024];
		ssize_t n = recv(reader, got, sizeof(got) - 1, 0);

		assert_true(n > 0);
		got[n] = '\0';
		assert_memory_equal(got, want, strlen(want));
		assert_int_equal(got[n - 1], '\n');
	}
	assert_int_equal(flowlog_counts(l)->lines, 2);
	assert_int_equal(flowlog_counts(l)->lost, 0);
	close(reader);
	flowlog_free(l);
}

static void
what_is_no_flow(void **state)
{
	struct flowlog *l = new_log();
	struct nlmsghdr empty = {.nlmsg_len = sizeof(empty) + 4};
	_Alignas(8) uint8_t event[64] = {0};

	(void)state;
	memcpy(event, &empty, sizeof(empty));
	flowlog_add(l, (const struct nlmsghdr *)(const void *)event, NOW);
	assert_false(flowlog_flush(l));
	assert_int_equal(flowlog_counts(l)->lines + flowlog_counts(l)->lost, 1);
	close(reader);
	flowlog_free(l);
}

/* Nobody reads: what fits is kept, the rest counted; when somebody reads, every line that was not counted comes, whole
 * and in order. */
static void
a_slow_reader(void **state)
{
	struct flowlog *l = new_log();
	unsigned int lines = 0, last = 0, port;
	uint64_t added = 0;
	char got[FLOWLOG_RECORD + 1];
	bool waits;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++, added++) {
		struct flow f = tcp_flow((uint16_t)(i % 60000 + 1));

		flowlog_add_known(l, &f, NOW);
		if (i % 50 == 0)
			flowlog_flush(l);
	}
	assert_int_equal(flowlog_counts(l)->lines + flowlog_counts(l)->lost, added);
	assert_true(flowlog_counts(l)->lost > 0);
	do {
		waits = flowlog_flush(l);
		for (ssize_t n; (n = recv(reader, got, sizeof(got) - 1, 0)) > 0;) {
			got[n] = '\0';
			assert_int_equal(got[n - 1], '\n');
			for (char *at = got; (at = strstr(at, "sport=")) != NULL; at = strchr(at, '\n')) {
				assert_int_equal(sscanf(at, "sport=%u", &port), 1);
				assert_true(port > last);
				last = port;
				lines++;
			}
		}
	} while (waits);
	assert_int_equal(lines, flowlog_counts(l)->lines);
	close(reader);
	flowlog_free(l);
}

/* The log worker has ended: nothing is kept for ever, everything is counted. */
static void
nobody_there(void **state)
{
	struct flowlog *l = new_log();
	struct flow f = tcp_flow(1);

	(void)state;
	close(reader);
	flowlog_add_known(l, &f, NOW);
	assert_false(flowlog_flush(l));
	assert_int_equal(flowlog_counts(l)->lost, 1);
	assert_int_equal(flowlog_counts(l)->lines, 0);
	flowlog_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_1_4_x),
		cmocka_unit_test(what_is_no_flow),
		cmocka_unit_test(a_slow_reader),
		cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
