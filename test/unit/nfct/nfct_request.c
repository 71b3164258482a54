/*
 * nfct: arguments to netlink bytes, kernel answers to text and JSON. The request bytes are those that the reference
 * program sends (seen with strace); this stands in for a kernel with nfnetlink_cthelper, which most machines lack.
 */
#include "helper.h"
#include "timeout.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_cthelper.h>
#include <linux/netfilter/nfnetlink_cttimeout.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WORDS_MAX 12
#define HELPER    NFNL_SUBSYS_CTHELPER
#define TIMEOUT   NFNL_SUBSYS_CTNETLINK_TIMEOUT
#define ACKED     0 /* nl_talk() adds NLM_F_ACK */

struct words {
	char text[256];
	char *v[WORDS_MAX];
	int n;
};

static struct words
split(const char *line)
{
	static struct words w;

	w.n = 0;
	snprintf(w.text, sizeof(w.text), "%s", line);
	for (char *p = strtok(w.text, " "); p != NULL && w.n < WORDS_MAX; p = strtok(NULL, " "))
		w.v[w.n++] = p;
	return w;
}

static int
timeout(struct request *rq, enum nfct_cmd cmd, const char *line, char *err)
{
	struct words w = split(line);

	return timeout_request(rq, cmd, w.n, w.v, err);
}

static int
helper(struct request *rq, enum nfct_cmd cmd, const char *line, char *err)
{
	struct words w = split(line);

	return helper_request(rq, cmd, w.n, w.v, err);
}

static void
expect_msg(const struct request *rq, unsigned subsys, unsigned type, unsigned flags, const void *attrs, size_t len)
{
	static const uint8_t nfgen[4] = {0};

	assert_int_equal(rq->msg.head.nlmsg_type, subsys << 8 | type);
	assert_int_equal(rq->msg.head.nlmsg_flags, NLM_F_REQUEST | flags);
	assert_int_equal(rq->msg.head.nlmsg_len, 20 + len);
	assert_memory_equal(rq->msg.buf + 16, nfgen, 4);
	if (len > 0)
		assert_memory_equal(rq->msg.buf + 20, attrs, len);
}
#define BYTES(s) (s), sizeof(s) - 1

static void
helper_add(void **state)
{
	char err[REQUEST_ERR];
	struct request rq;

	(void)state;
	assert_int_equal(helper(&rq, CMD_ADD, "ftp inet tcp", err), 0);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_NEW, NLM_F_CREATE,
		   BYTES("\x08\x00\x01\x00"
			 "ftp\0"
			 "\x08\x00\x05\x00\x00\x00\x00\x18"
			 "\x14\x00\x02\x80\x06\x00\x01\x00\x00\x02\x00\x00\x05\x00\x02\x00\x06\x00\x00\x00"
			 "\x28\x00\x04\x80\x1c\x00\x02\x80\x08\x00\x01\x00"
			 "ftp\0"
			 "\x08\x00\x02\x00\x00\x00\x00\x01\x08\x00\x03\x00\x00\x00\x01\x2c"
			 "\x08\x00\x01\x00\x00\x00\x00\x01"));
	assert_string_equal(rq.busy, "Maybe unload nf_conntrack_ftp.ko first?");
	assert_int_equal(helper(&rq, CMD_ADD, "dhcpv6 inet6 udp", err), 0);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_NEW, NLM_F_CREATE,
		   BYTES("\x0b\x00\x01\x00"
			 "dhcpv6\0\0"
			 "\x08\x00\x05\x00\x00\x00\x00\x00"
			 "\x14\x00\x02\x80\x06\x00\x01\x00\x00\x0a\x00\x00\x05\x00\x02\x00\x11\x00\x00\x00"
			 "\x2c\x00\x04\x80\x20\x00\x02\x80\x0b\x00\x01\x00"
			 "dhcpv6\0\0"
			 "\x08\x00\x02\x00\x00\x00\x00\x01\x08\x00\x03\x00\x00\x00\x01\x2c"
			 "\x08\x00\x01\x00\x00\x00\x00\x01"));
}

static void
helper_others(void **state)
{
	char err[REQUEST_ERR];
	struct request rq;

	(void)state;
	assert_int_equal(helper(&rq, CMD_DISABLE, "ftp inet tcp", err), 0);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_NEW, NLM_F_CREATE,
		   BYTES("\x08\x00\x01\x00"
			 "ftp\0"
			 "\x14\x00\x02\x80\x06\x00\x01\x00\x00\x02\x00\x00\x05\x00\x02\x00\x06\x00\x00\x00"
			 "\x08\x00\x06\x00\x00\x00\x00\x00"));
	assert_int_equal(helper(&rq, CMD_GET, "ftp", err), 0);
	assert_non_null(rq.show);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_GET, ACKED,
		   BYTES("\x08\x00\x01\x00"
			 "ftp\0"));
	assert_int_equal(helper(&rq, CMD_GET, "ftp inet6", err), 0);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_GET, ACKED,
		   BYTES("\x08\x00\x01\x00"
			 "ftp\0"
			 "\x14\x00\x02\x80\x06\x00\x01\x00\x00\x0a\x00\x00\x05\x00\x02\x00\x00\x00\x00\x00"));
	assert_int_equal(helper(&rq, CMD_DELETE, "ftp inet udp", err), 0);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_DEL, ACKED,
		   BYTES("\x08\x00\x01\x00"
			 "ftp\0"
			 "\x14\x00\x02\x80\x06\x00\x01\x00\x00\x02\x00\x00\x05\x00\x02\x00\x11\x00\x00\x00"));
	assert_int_equal(helper(&rq, CMD_FLUSH, "", err), 0);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_DEL, ACKED, NULL, 0);
	assert_int_equal(helper(&rq, CMD_LIST, "", err), 0);
	assert_true(rq.dump);
	expect_msg(&rq, HELPER, NFNL_MSG_CTHELPER_GET, 0, NULL, 0);
}

static void
helper_known(void **state)
{
	static const char *const good[] = {"amanda inet udp", "dhcpv6 inet6 udp", "ftp inet6 tcp", "mdns inet udp",
					   "rpc inet tcp",    "rpc inet udp",     "sane inet tcp", "slp inet udp",
					   "ssdp inet tcp",   "ssdp inet udp",    "tftp inet udp", "tns inet tcp"};
	static const char *const bad[] = {"ftp inet udp", "sip inet udp", "amanda inet tcp", "FTP inet tcp",
					  "f inet tcp"};
	char err[REQUEST_ERR];
	struct request rq;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(helper(&rq, CMD_ADD, good[i], err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(helper(&rq, CMD_ADD, bad[i], err), -EINVAL);
		assert_string_equal(err, "that helper is not supported");
	}
}

static void
helper_refused(void **state)
{
	static const struct {
		enum nfct_cmd cmd;
		const char *line, *err;
	} bad[] = {
		{CMD_ADD, "ftp inet", "missing parameters\nsyntax: nfct add helper name family protocol"},
		{CMD_DISABLE, "", "missing parameters\nsyntax: nfct disable helper name family protocol"},
		{CMD_ADD, "ftp ipv4 tcp", "unknown layer 3 protocol"},
		{CMD_ADD, "ftp inet TCP", "unsupported layer 4 protocol"},
		{CMD_GET, "", "missing helper policy name"},
		{CMD_GET, "ftp inet tcp x", "too many arguments"},
		{CMD_DELETE, "ftp inet sctp", "unsupported layer 4 protocol"},
		{CMD_GET, "a-name-of-16-byte", "helper name is too long"},
		{CMD_LIST, "x", "too many arguments"},
		{CMD_FLUSH, "x", "too many arguments"},
	};
	char err[REQUEST_ERR];
	struct request rq;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(helper(&rq, bad[i].cmd, bad[i].line, err), -EINVAL);
		assert_string_equal(err, bad[i].err);
	}
	assert_int_equal(helper(&rq, CMD_DEFAULT_GET, "inet tcp", err), -ENOSYS);
	assert_int_equal(timeout(&rq, CMD_DISABLE, "x", err), -ENOSYS);
}

static void
timeout_bytes(void **state)
{
	char err[REQUEST_ERR];
	struct request rq;

	(void)state;
	assert_int_equal(timeout(&rq, CMD_ADD, "abc inet tcp established 5 close 6", err), 0);
	expect_msg(&rq, TIMEOUT, IPCTNL_MSG_TIMEOUT_NEW, NLM_F_CREATE,
		   BYTES("\x08\x00\x01\x00"
			 "abc\0"
			 "\x06\x00\x02\x00\x00\x02\x00\x00\x05\x00\x03\x00\x06\x00\x00\x00"
			 "\x14\x00\x04\x80\x08\x00\x03\x00\x00\x00\x00\x05\x08\x00\x08\x00\x00\x00\x00\x06"));
	assert_int_equal(timeout(&rq, CMD_DEFAULT_SET, "inet6 udp replied 120", err), 0);
	expect_msg(&rq, TIMEOUT, IPCTNL_MSG_TIMEOUT_DEFAULT_SET, ACKED,
		   BYTES("\x06\x00\x02\x00\x00\x0a\x00\x00\x05\x00\x03\x00\x11\x00\x00\x00"
			 "\x0c\x00\x04\x80\x08\x00\x02\x00\x00\x00\x00\x78"));
	assert_int_equal(timeout(&rq, CMD_DEFAULT_GET, "inet udp", err), 0);
	expect_msg(&rq, TIMEOUT, IPCTNL_MSG_TIMEOUT_DEFAULT_GET, ACKED,
		   BYTES("\x06\x00\x02\x00\x00\x02\x00\x00\x05\x00\x03\x00\x11\x00\x00\x00"));
	assert_int_equal(timeout(&rq, CMD_GET, "abc", err), 0);
	expect_msg(&rq, TIMEOUT, IPCTNL_MSG_TIMEOUT_GET, ACKED,
		   BYTES("\x08\x00\x01\x00"
			 "abc\0"));
	assert_int_equal(timeout(&rq, CMD_FLUSH, "", err), 0);
	expect_msg(&rq, TIMEOUT, IPCTNL_MSG_TIMEOUT_DELETE, ACKED, NULL, 0);
	/* the last value of a state counts, and it is sent once */
	assert_int_equal(timeout(&rq, CMD_DEFAULT_SET, "inet udp replied 1 REPLIED 2", err), 0);
	assert_int_equal(rq.msg.head.nlmsg_len, 20 + 28);
	assert_int_equal(rq.msg.buf[47], 2);
}

static void
timeout_numbers(void **state)
{
	char err[REQUEST_ERR];
	struct request rq;

	(void)state;
	assert_int_equal(timeout(&rq, CMD_DEFAULT_SET, "inet udp replied 4294967295", err), 0);
	assert_int_equal(timeout(&rq, CMD_DEFAULT_SET, "inet udp replied 4294967296", err), -EINVAL);
	assert_string_equal(err, "invalid value `4294967296' for timeout replied");
	assert_int_equal(timeout(&rq, CMD_DEFAULT_SET, "inet udp replied 5s", err), -EINVAL);
	assert_int_equal(timeout(&rq, CMD_ADD, "1234567890123456789012345678901 inet udp replied 5", err), 0);
	assert_int_equal(timeout(&rq, CMD_ADD, "12345678901234567890123456789012 inet udp replied 5", err), -EINVAL);
}

/* What a callback prints for a message of these attributes. */
static const char *
shown(nl_msg_fn show, bool json, const void *attrs, size_t len, int *ret)
{
	static char text[1024];
	union {
		struct nlmsghdr head;
		uint8_t buf[512];
	} m = {.head = {.nlmsg_len = (uint32_t)(20 + len)}};
	struct show s = {.json = json};

	memset(text, 0, sizeof(text));
	assert_true(len + 20 <= sizeof(m.buf));
	memcpy(m.buf + 20, attrs, len);
	assert_non_null(s.out = fmemopen(text, sizeof(text), "w"));
	*ret = show(&s, &m.head);
	fclose(s.out);
	return text;
}

static void
show_helper(void **state)
{
	static const char msg[] = "\x08\x00\x01\x00"
				  "ftp\0"
				  "\x14\x00\x02\x80\x06\x00\x01\x00\x00\x02\x00\x00\x05\x00\x02\x00\x06\x00\x00\x00"
				  "\x08\x00\x03\x00\x00\x00\x00\x07\x08\x00\x05\x00\x00\x00\x00\x18"
				  "\x08\x00\x06\x00\x00\x00\x00\x01";
	char err[REQUEST_ERR];
	struct request rq;
	int r;

	(void)state;
	assert_int_equal(helper(&rq, CMD_LIST, "", err), 0);
	assert_string_equal(shown(rq.show, false, BYTES(msg), &r),
			    "{\n\t.name = ftp,\n\t.queuenum = 7,\n\t.l3protonum = 2,\n\t.l4protonum = 6,\n"
			    "\t.priv_data_len = 24,\n\t.status = enabled,\n};\n");
	assert_string_equal(shown(rq.show, true, BYTES(msg), &r),
			    "{\"name\":\"ftp\",\"queuenum\":7,\"l3protonum\":2,\"l4protonum\":6,"
			    "\"priv_data_len\":24,\"status\":\"enabled\"}\n");
	/* without a status: disabled; the kernel always sends one */
	assert_non_null(strstr(shown(rq.show, false, msg, 8, &r), ".status = disabled"));
}

static void
show_timeout(void **state)
{
	static const char msg[] = "\x06\x00\x01\x00"
				  "a\0\0\0"
				  "\x06\x00\x02\x00\x00\x0a\x00\x00\x05\x00\x03\x00\x11\x00\x00\x00"
				  "\x14\x00\x04\x80\x08\x00\x01\x00\x00\x00\x00\x01\x08\x00\x02\x00\x00\x00\x00\x02";
	char err[REQUEST_ERR];
	struct request rq;
	int r;

	(void)state;
	assert_int_equal(timeout(&rq, CMD_LIST, "", err), 0);
	assert_string_equal(shown(rq.show, false, BYTES(msg), &r),
			    ".a = {\n\t.l3proto = 10,\n\t.l4proto = 17,\n\t.policy = {\n\t\t.UNREPLIED = 1,\n"
			    "\t\t.REPLIED = 2,\n\t},\n};\n");
	assert_string_equal(shown(rq.show, true, BYTES(msg), &r),
			    "{\"name\":\"a\",\"l3proto\":10,\"family\":\"inet6\",\"l4proto\":17,\"protocol\":\"udp\","
			    "\"policy\":{\"UNREPLIED\":1,\"REPLIED\":2}}\n");
}

/* Every cut and every wrong length of an answer is refused or harmless; the sanitizers watch. */
static void
hostile_answers(void **state)
{
	static const char msg[] = "\x08\x00\x01\x00"
				  "abcd" /* no terminator */
				  "\x06\x00\x02\x00\x00\x0a\x00\x00\x05\x00\x03\x00\x11\x00\x00\x00"
				  "\x14\x00\x04\x80\x08\x00\x01\x00\x00\x00\x00\x01\x08\x00\x02\x00\x00\x00\x00\x02";
	char err[REQUEST_ERR], copy[sizeof(msg)];
	struct request t, h;
	int r;

	(void)state;
	assert_int_equal(timeout(&t, CMD_LIST, "", err), 0);
	assert_int_equal(helper(&h, CMD_LIST, "", err), 0);
	for (size_t cut = 0; cut < sizeof(msg); cut++)
		for (size_t at = 0; at < sizeof(msg) - 1; at += 2) {
			static const uint8_t lens[] = {0, 1, 3, 4, 5, 0x7f, 0xff};

			for (size_t i = 0; i < sizeof(lens); i++) {
				memcpy(copy, msg, sizeof(msg));
				copy[at] = (char)lens[i];
				(void)shown(t.show, i & 1, copy, cut, &r);
				assert_true(r == 0 || r == -EBADMSG);
				(void)shown(h.show, i & 1, copy, cut, &r);
				assert_true(r == 0 || r == -EBADMSG);
			}
		}
	(void)shown(t.show, false, "\x03\x00\x01\x00", 4, &r);
	assert_int_equal(r, -EBADMSG);
	(void)shown(t.show, false, "\x08\x00\x04\x00\x20\x00\x01\x00", 8, &r);
	assert_int_equal(r, -EBADMSG);
	assert_string_equal(shown(t.show, true,
				  BYTES("\x07\x00\x01\x00"
					"\xff\"\0\0"),
				  &r),
			    "{\"name\":\"?\\\"\",\"l3proto\":0,\"family\":\"inet\",\"l4proto\":0,\"policy\":{}}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(helper_add),     cmocka_unit_test(helper_others), cmocka_unit_test(helper_known),
		cmocka_unit_test(helper_refused), cmocka_unit_test(timeout_bytes), cmocka_unit_test(timeout_numbers),
		cmocka_unit_test(show_helper),    cmocka_unit_test(show_timeout),  cmocka_unit_test(hostile_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
