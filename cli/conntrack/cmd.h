/*
 * The command line of conntrack, and each line of a file it loads, as a struct; and why one is wrong.
 */
#ifndef CMD_H
#define CMD_H

#include "args.h"
#include "ctrec.h"
#include "labelmap.h"
#include "proto.h"

enum cmd_op {
	CMD_NONE,
	CMD_LIST,
	CMD_GET,
	CMD_DELETE,
	CMD_CREATE,
	CMD_ADD,
	CMD_UPDATE,
	CMD_EVENT,
	CMD_FLUSH,
	CMD_COUNT,
	CMD_STATS,
	CMD_VERSION,
	CMD_HELP,
	CMD_MAX
};

enum table { TABLE_CT, TABLE_EXPECT, TABLE_DYING, TABLE_UNCONFIRMED };

/* In the order in which the option table is checked. */
enum opt {
	OPT_SRC,
	OPT_DST,
	OPT_RSRC,
	OPT_RDST,
	OPT_PROTO,
	OPT_TIMEOUT,
	OPT_STATUS,
	OPT_ZERO,
	OPT_EVENTS,
	OPT_TUPLE_SRC,
	OPT_TUPLE_DST,
	OPT_MASK_SRC,
	OPT_MASK_DST,
	OPT_MARK,
	OPT_ID,
	OPT_FAMILY,
	OPT_SNAT,
	OPT_DNAT,
	OPT_OUTPUT,
	OPT_SECMARK,
	OPT_BUFFER,
	OPT_ANYNAT,
	OPT_ZONE,
	OPT_LABEL,
	OPT_LABEL_ADD,
	OPT_LABEL_DEL,
	OPT_OZONE,
	OPT_RZONE,
	OPT_LABELMAP,
	OPT_FROM_FILE,
	OPT_HELPER,
	OPT_MASTER,
	OPT_SAVED_LABELS,
	OPT_MAX
};
#define OPT_BIT(o) (UINT64_C(1) << (o))

enum output_word {
	OUT_XML = 1 << 0,
	OUT_EXTENDED = 1 << 1,
	OUT_TIMESTAMP = 1 << 2,
	OUT_ID = 1 << 3,
	OUT_KTIMESTAMP = 1 << 4,
	OUT_LABELS = 1 << 5,
	OUT_USERSPACE = 1 << 6,
	OUT_SAVE = 1 << 7,
	OUT_JSON = 1 << 8,
};

enum event_word { EVENT_NEW = 1 << 0, EVENT_UPDATE = 1 << 1, EVENT_DESTROY = 1 << 2, EVENT_ALL = 7 };

enum cmd_warning { WARN_NAT_RANGE = 1 << 0, WARN_SRC_NAT = 1 << 1, WARN_DST_NAT = 1 << 2 };

/* Source, destination, either. */
enum nat_side { NAT_SRC, NAT_DST, NAT_ANY, NAT_SIDES };

#define LABEL_WORDS       (LABELMAP_BITS / 32)
#define LABEL_BITS_KERNEL 128

struct label_set {
	uint32_t word[LABEL_WORDS];
};

struct cmd {
	enum cmd_op op;
	enum table table;
	uint64_t given;       /* OPT_BIT of every option that was there */
	uint32_t proto_given; /* FIELD_BIT likewise */
	unsigned warnings;
	const struct proto *proto; /* NULL without -p, and for protocols without options */
	uint8_t family;            /* 0: not known */
	struct ct_tuple orig, reply, tuple, mask, master;
	struct addr mask_src, mask_dst;
	uint32_t timeout, status_set, status_clear, mark, mark_mask, secmark, id, vtag[2], events, output;
	int buffer;
	uint16_t zone;
	uint8_t state, role;
	struct nat_arg nat[NAT_SIDES]; /* addr.family 0: no value */
	char *label, *label_add, *label_del, *labelmap, *from_file;
	char helper[32];
	struct label_set want, add, del;
};

/* Exit statuses; scripts tell them apart. */
enum status {
	STATUS_DONE,
	STATUS_FAILED, /* the kernel refused, or there was nothing to do it to */
	STATUS_USAGE,  /* the command line is wrong */
};

struct opt_error {
	enum status code; /* STATUS_USAGE brings the "Try …" line */
	char text[320];
};

/* What several lines of one file share. */
struct opt_ctx {
	struct labelmap *map;
	bool tried;     /* the label file was looked for */
	int map_errno;  /* why there is no map */
	bool quiet;     /* nobody asked for the map by an option: its absence is not said */
	bool loading;   /* a line of -R: accepts what only the save format writes */
	bool selecting; /* a line of --from-file: options without a command */
	enum cmd_op select_op;
};

/* Fills *err; always -1. */
int opt_fail(struct opt_error *err, enum status code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Releases what a command holds. */
void cmd_done(struct cmd *c);

/* "-L", and " expect" or "": how errors name a command. */
const char *cmd_letter(enum cmd_op op);

static inline bool
cmd_has(const struct cmd *c, enum opt o)
{
	return (c->given & OPT_BIT(o)) != 0;
}

static inline bool
cmd_has_proto(const struct cmd *c, enum pfield f)
{
	return (c->proto_given & FIELD_BIT(f)) != 0;
}

#endif
