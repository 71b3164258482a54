/*
 * Settings as sealed memory: what goes in comes out, and nothing that a hostile writer could leave there gets through.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "blob.h"
#include "parse.h"

static const char full[] =
	"Sync { Mode FTFW { ResendQueueSize 1000 ACKWindowSize 50 }\n"
	"UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth1 CheckSource off }\n"
	"UDP Default { IPv6_address fe80::1 IPv6_Destination_Address fe80::2 Port 3781 Interface eth2 Checksum off }\n"
	"Options { ExpectationSync { ftp sip } TCPWindowTracking on } }\n"
	"General { LogFile on Jail BestEffort Syslog local3 UNIX { Path /run/c.ctl Group ops } Scheduler { Type FIFO "
	"Priority 5 }\n"
	"Filter From Kernelspace { Protocol Accept { TCP 200 } State Accept { ESTABLISHED for TCP }\n"
	"Address Ignore { IPv4_address 10.0.0.0/8 IPv6_address ::1 } } }\n"
	"Helper { Setup on Type ftp inet tcp { QueueNum 3 QueueLen 9 Policy ftp { ExpectMax 7 ExpectTimeout 8 } } }\n";

static void
parse_full(struct conf *c)
{
	struct conf_source src = {.text = full, .len = sizeof(full) - 1};

	assert_int_equal(conf_parse(c, &src), 0);
}

static void
assert_same(const struct conf *a, const struct conf *b)
{
	size_t n = blob_size(a);
	char *x = malloc(n), *y = malloc(n);

	assert_int_equal(blob_size(b), n);
	assert_int_equal(blob_write(a, x, n), n);
	assert_int_equal(blob_write(b, y, n), n);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
}

static void
round_trip(void **state)
{
	struct conf a, b;
	int fd = blob_memfd();

	(void)state;
	parse_full(&a);
	assert_true(fd >= 0);
	assert_int_equal(blob_load(&b, fd), -EPERM); /* not sealed yet */
	assert_int_equal(blob_store(&a, fd), 0);
	assert_int_equal(blob_load(&b, fd), 0);
	assert_same(&a, &b);
	assert_int_equal(b.n_links, 2);
	assert_string_equal(b.link[1].ifname, "eth2");
	assert_true(b.link_any_source[0]);
	assert_int_equal(b.jail, JAIL_BEST_EFFORT);
	assert_int_equal(b.filter.n_nets, 2);
	assert_int_equal(b.helper[0].expect_max, 7);
	assert_string_equal(b.expect_helper[1], "sip");
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(ftruncate(fd, 1), -1);
	close(fd);
	conf_clear(&a);
	conf_clear(&b);
}

static void
short_memory_is_refused(void **state)
{
	struct conf a, b;
	size_t n;
	char *mem;

	(void)state;
	parse_full(&a);
	n = blob_size(&a);
	mem = malloc(n);
	assert_int_equal(blob_write(&a, mem, n - 1), -ENOSPC);
	assert_int_equal(blob_write(&a, mem, n), n);
	for (size_t len = 0; len < n; len++) {
		char *cut = malloc(len + 1); /* sanitizers see a read behind len + 1 */

		memcpy(cut, mem, len);
		assert_int_equal(blob_read(&b, cut, len), -EBADMSG);
		free(cut);
	}
	free(mem);
	conf_clear(&a);
}

/* Every byte changed to some other values: refused, or settings that can be written again. */
static void
changed_bytes(void **state)
{
	static const uint8_t xor_with[] = {0x01, 0x02, 0x20, 0x80, 0xff};
	unsigned int refused = 0;
	struct conf a, b;
	uint8_t *mem;
	size_t n;

	(void)state;
	parse_full(&a);
	n = blob_size(&a);
	mem = malloc(n);
	assert_int_equal(blob_write(&a, mem, n), n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < sizeof(xor_with); j++) {
			mem[i] ^= xor_with[j];
			if (blob_read(&b, mem, n) == 0) {
				assert_int_equal(blob_size(&b), n);
				conf_clear(&b);
			} else {
				refused++;
			}
			mem[i] ^= xor_with[j];
		}
	assert_true(refused > n); /* text padding, booleans and bounded numbers alone are more */
	free(mem);
	conf_clear(&a);
}

static void
expect_refused(struct conf *c, const char *what)
{
	size_t n = blob_size(c);
	void *mem = malloc(n);
	struct conf b;

	assert_int_equal(blob_write(c, mem, n), n);
	if (blob_read(&b, mem, n) != -EBADMSG)
		fail_msg("accepted: %s", what);
	assert_null(b.filter.net);
	free(mem);
}

/* One field of the settings set to what no parser would put there. */
static const struct patch {
	const char *what;
	size_t off, size;
	uint32_t value;
} patches[] = {
#define PATCH(f, v)                                                                     \
	{                                                                               \
#f " = " #v, offsetof(struct conf, f), sizeof(((struct conf *)0)->f), v \
	}
	PATCH(hash_size, 0),
	PATCH(hash_size, 1u << 27),
	PATCH(sched_prio, 0),
	PATCH(sched_prio, 100),
	PATCH(sched_type, 0),
	PATCH(syslog_facility, 9),
	PATCH(stats, 1),
	PATCH(stats, 2),
	PATCH(sync, 0),
	PATCH(jail, 3),
	PATCH(mode, MODE_NONE),
	PATCH(mode, 7),
	PATCH(filter.tcp_states, 0x400),
	PATCH(filter.addr_policy, 3),
	PATCH(link[1].kind, LINK_TCP),
	PATCH(link[1].kind, 9),
	PATCH(link[0].family, 3),
	PATCH(link[0].port, 0),
	PATCH(link[0].is_default, 1),
	PATCH(link[0].local[5], 1),
	PATCH(link[0].peer[0], 230),
	PATCH(link[0].ifname[0], 0),
	PATCH(link[0].ifname[1], '/'),
	PATCH(link[0].ifname[8], 'x'),
	PATCH(logfile[0], 'x'),
	PATCH(ctl_path[4], '\n'),
	PATCH(lockfile[256], 'x'),
	PATCH(expect_helper[1][0], 0),
	PATCH(helper[0].family, 3),
	PATCH(helper[0].proto, 7),
	PATCH(helper[0].expect_max, 256),
	PATCH(helper[0].setup, 2),
#undef PATCH
};

static void
put_value(uint8_t *to, size_t size, uint32_t value)
{
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;

	memcpy(to, size == 1 ? (void *)&v8 : size == 2 ? (void *)&v16 : (void *)&value, size);
}

static void
impossible_settings(void **state)
{
	struct conf good, bad;

	(void)state;
	parse_full(&good);
	for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
		const struct patch *p = &patches[i];

		bad = good;
		put_value((uint8_t *)&bad + p->off, p->size, p->value);
		expect_refused(&bad, p->what);
	}
	conf_clear(&good);
}

static void
impossible_combinations(void **state)
{
	struct conf good, bad;

	(void)state;
	parse_full(&good);
	bad = good;
	bad.helper[bad.n_helpers++] = bad.helper[0];
	expect_refused(&bad, "two helpers on one queue");
	bad = good;
	bad.commit_timeout = 5;
	bad.disable_external_cache = true;
	expect_refused(&bad, "CommitTimeout without external cache");
	bad = good;
	bad.disable_internal_cache = true;
	expect_refused(&bad, "FT-FW without internal cache");
	bad = good;
	bad.mode = MODE_ALARM;
	bad.disable_external_cache = true;
	expect_refused(&bad, "ALARM without external cache");
	bad = good;
	memset(bad.link[0].peer, 0, sizeof(bad.link[0].peer));
	expect_refused(&bad, "no peer");
	bad = good;
	memset(bad.link[0].ifname, 'a', sizeof(bad.link[0].ifname));
	expect_refused(&bad, "interface name without end");
	good.filter.net[0].addr[3] = 1;
	expect_refused(&good, "host bits");
	good.filter.net[0].addr[3] = 0;
	good.filter.net[0].prefix = 33;
	expect_refused(&good, "prefix");
	conf_clear(&good);
}

/* The parser's worker may hand over any file. */
static void
wrong_files(void **state)
{
	struct conf c;
	int fd = memfd_create("x", MFD_ALLOW_SEALING), p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(blob_load(&c, p[0]), -EPERM);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	assert_int_equal(blob_load(&c, fd), -EBADMSG);
	close(fd);
	fd = blob_memfd();
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	assert_int_equal(blob_load(&c, fd), -EBADMSG); /* all zero */
	close(fd);
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(short_memory_is_refused),
		cmocka_unit_test(changed_bytes),
		cmocka_unit_test(impossible_settings),
		cmocka_unit_test(impossible_combinations),
		cmocka_unit_test(wrong_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
