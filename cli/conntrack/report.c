/*
 * Texts on standard error. Scripts match them.
 */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifndef ENOTSUPP
#define ENOTSUPP 524 /* the kernel's, which it should not let out */
#endif
#define OP(o) (1u << (o))
#define EVERY (~0u)

static const struct {
	int err;
	unsigned ops;    /* commands it is said of */
	unsigned tables; /* likewise, bits of enum table */
	const char *text;
} texts[] = {
	{EEXIST, OP(CMD_CREATE), 1 << TABLE_CT, "Such conntrack exists, try -U to update"},
	{ENOENT, OP(CMD_CREATE), 1 << TABLE_EXPECT, "master conntrack not found"},
	{ENOENT, OP(CMD_CREATE) | OP(CMD_ADD) | OP(CMD_GET) | OP(CMD_DELETE), 1 << TABLE_CT,
	 "such conntrack doesn't exist"},
	{EINVAL, EVERY & ~(OP(CMD_ADD) | OP(CMD_STATS)), 1 << TABLE_CT | 1 << TABLE_DYING | 1 << TABLE_UNCONFIRMED,
	 "invalid parameters"},
	{EINVAL, EVERY & ~(OP(CMD_COUNT) | OP(CMD_STATS)), 1 << TABLE_EXPECT, "invalid parameters"},
	{ENOSPC, OP(CMD_ADD), 1 << TABLE_CT, "the entry that is there has no room for labels"},
	{ENOMEM, OP(CMD_CREATE) | OP(CMD_ADD) | OP(CMD_GET), EVERY, "not enough memory"},
	{EAFNOSUPPORT, OP(CMD_GET), EVERY, "protocol not supported"},
	{ETIME, OP(CMD_CREATE) | OP(CMD_ADD), EVERY, "conntrack has expired"},
	{ENOTSUPP, OP(CMD_LIST), EVERY, "function not implemented"},
	{EPERM, EVERY, EVERY, "sorry, you must be root or get CAP_NET_ADMIN capability to do this"},
};

void
report_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
report_failure(enum cmd_op op, enum table table, int err, const char *where)
{
	const char *text = strerror(err);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].err == err && texts[i].ops & OP(op) && texts[i].tables & 1u << table) {
			text = texts[i].text;
			break;
		}
	report_line(REPORT_NAME "%sOperation failed: %s", where, text);
}

void
report_count(enum cmd_op op, enum table table, unsigned long n)
{
	static const char *const done[CMD_MAX] = {
		[CMD_LIST] = "flow entries have been shown.",     [CMD_GET] = "flow entries have been shown.",
		[CMD_DELETE] = "flow entries have been deleted.", [CMD_CREATE] = "flow entries have been created.",
		[CMD_ADD] = "flow entries have been added.",      [CMD_UPDATE] = "flow entries have been updated.",
		[CMD_EVENT] = "flow events have been shown.",
	};
	static const char *const expect[CMD_MAX] = {
		[CMD_LIST] = "expectations have been shown.",
		[CMD_DELETE] = "expectations have been deleted.",
		[CMD_EVENT] = "expectation events have been shown.",
	};
	const char *text = table == TABLE_EXPECT ? expect[op] : done[op];

	if (text != NULL)
		report_line(REPORT_NAME "%lu %s", n, text);
}

void
report_options(const struct opt_error *err, const char *where)
{
	report_line(REPORT_NAME "%s%s", where, err->text);
	if (err->code == STATUS_USAGE)
		report_line("Try `conntrack -h' or 'conntrack --help' for more information.");
}

void
report_warnings(const struct cmd *c)
{
	if (c->warnings & WARN_NAT_RANGE)
		report_line("WARNING: ignoring -a, deprecated option.");
	if (c->warnings & WARN_SRC_NAT)
		report_line("WARNING: ignoring SRC_NAT, use --src-nat instead");
	if (c->warnings & WARN_DST_NAT)
		report_line("WARNING: ignoring DST_NAT, use --dst-nat instead");
}
