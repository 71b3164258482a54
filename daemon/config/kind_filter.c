/*
 * The Filter block, and the three older ways to write parts of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "kinds.h"
#include "near.h"
#include "nets.h"
#include "value.h"

#define PROTO_NAME_MAX 64
#define STATE_CLOSED   8 /* CLOSE, by its older name */
#define STATE_LISTEN   9 /* 1.4.x writes it so; the kernel says SYN_SENT2 */

static const char *
policy_name(enum filter_policy policy)
{
	return policy == FILTER_ACCEPT ? "Accept" : "Ignore";
}

static int
read_policy(struct reader *p, enum filter_policy *policy)
{
	enum filter_policy before = *policy;

	if (tok_is(&p->tok, "Accept"))
		*policy = FILTER_ACCEPT;
	else if (tok_is(&p->tok, "Ignore"))
		*policy = FILTER_IGNORE;
	else
		return reader_fail(p, &p->tok, "expected `Accept' or `Ignore' after `%.*s'", (int)p->key.len, p->key.s);
	if (before != FILTER_OFF && before != *policy)
		reader_warn(p, &p->tok, "`%s' now counts for what `%.*s %s' listed, too", policy_name(*policy),
			    (int)p->key.len, p->key.s, policy_name(before));
	reader_next(p);
	return 0;
}

static int
unknown_protocol(struct reader *p)
{
	struct near n = near_to(p->tok.s, p->tok.len);
	int shown = (int)(p->tok.len < PROTO_NAME_MAX ? p->tok.len : PROTO_NAME_MAX);

	protos_near(p->protos, &n);
	reader_warn(p, &p->tok, "getprotobyname() cannot find protocol `%.*s' in /etc/protocols%s%s%s", shown, p->tok.s,
		    n.name != NULL ? "; did you mean `" : "", n.name != NULL ? n.name : "", n.name != NULL ? "'?" : "");
	return -1;
}

static int
protocol_item(struct reader *p)
{
	char name[PROTO_NAME_MAX + 1] = "";
	uint32_t n;
	int r = word_num(&p->tok, 255, &n);

	if (r == -ERANGE)
		return reader_fail(p, &p->tok, "a protocol number must be from 0 to 255");
	if (r == 0)
		r = (int)n;
	else if (!tok_copy(&p->tok, name, sizeof(name)) || (r = protos_number(p->protos, name)) < 0)
		r = unknown_protocol(p);
	else if (r > 255)
		reader_warn(p, &p->tok, "protocol `%s' has number %d and cannot be filtered, ignoring", name, r);
	if (r >= 0 && r <= 255)
		p->c->filter.proto[r / 8] |= (uint8_t)(1 << r % 8);
	reader_next(p);
	return 0;
}

static int
read_protocols(struct reader *p, const struct field *k, void *base)
{
	int r = read_policy(p, &p->c->filter.proto_policy);

	(void)k, (void)base;
	return r != 0 ? r : reader_list(p, protocol_item);
}

static void
print_protocols(struct printer *p, const struct field *k, const void *base)
{
	const struct conf_filter *f = &((const struct conf *)base)->filter;
	const char *name;

	if (f->proto_policy == FILTER_OFF)
		return;
	printer_line(p, "%s %s {", k->name, policy_name(f->proto_policy));
	p->depth++;
	for (unsigned int n = 0; n < 256; n++) {
		if ((f->proto[n / 8] & 1 << n % 8) == 0)
			continue;
		if ((name = protos_name(p->protos, n)) != NULL)
			printer_line(p, "%s", name);
		else
			printer_line(p, "%u", n);
	}
	p->depth--;
	printer_line(p, "}");
}

const struct kind kind_protocols = {read_protocols, print_protocols, NULL};

static int
read_addresses(struct reader *p, const struct field *k, void *base)
{
	int r = read_policy(p, &p->c->filter.addr_policy);

	(void)k, (void)base;
	return r != 0 ? r : reader_list(p, nets_item);
}

static void
print_addresses(struct printer *p, const struct field *k, const void *base)
{
	const struct conf_filter *f = &((const struct conf *)base)->filter;

	if (f->addr_policy == FILTER_OFF)
		return;
	printer_line(p, "%s %s {", k->name, policy_name(f->addr_policy));
	p->depth++;
	nets_print(p, f);
	p->depth--;
	printer_line(p, "}");
}

static bool
count_ok(const struct field *k, const uint8_t *bytes)
{
	return field_load(k, bytes) <= k->max;
}

const struct kind kind_addresses = {read_addresses, print_addresses, count_ok};

static int
state_number(const struct token *t)
{
	for (int i = 1; i < STATE_LISTEN; i++)
		if (tok_is(t, tcp_state_names[i]))
			return i;
	return tok_is(t, "LISTEN") ? STATE_LISTEN : tok_is(t, "CLOSED") ? STATE_CLOSED : -1;
}

/* STATE... for TCP */
static int
state_item(struct reader *p)
{
	int n;

	for (; !tok_is(&p->tok, "for"); reader_next(p)) {
		if ((n = state_number(&p->tok)) < 0)
			return reader_fail(p, &p->tok,
					   "expected a TCP state (SYN_SENT, ESTABLISHED, ...) or `for TCP'");
		p->c->filter.tcp_states |= (uint16_t)(1 << n);
	}
	reader_next(p);
	if (!tok_is(&p->tok, "TCP"))
		return reader_fail(p, &p->tok, "expected `TCP' after `for'");
	reader_next(p);
	return 0;
}

static int
read_states(struct reader *p, const struct field *k, void *base)
{
	int r = read_policy(p, &p->c->filter.state_policy);

	(void)k, (void)base;
	return r != 0 ? r : reader_list(p, state_item);
}

static void
print_states(struct printer *p, const struct field *k, const void *base)
{
	const struct conf_filter *f = &((const struct conf *)base)->filter;
	char names[128] = "";

	if (f->state_policy == FILTER_OFF)
		return;
	for (unsigned int i = 1; i < TCP_STATES; i++) {
		size_t n = strlen(names);

		if (f->tcp_states & 1 << i)
			snprintf(names + n, sizeof(names) - n, "%s ", i < STATE_LISTEN ? tcp_state_names[i] : "LISTEN");
	}
	printer_line(p, "%s %s {", k->name, policy_name(f->state_policy));
	p->depth++;
	printer_line(p, "%sfor TCP", names);
	p->depth--;
	printer_line(p, "}");
}

const struct kind kind_states = {read_states, print_states, count_ok};

static int
read_filter(struct reader *p, const struct field *k, void *base)
{
	struct conf *c = base;

	if (tok_is(&p->tok, "From")) {
		reader_next(p);
		if (!tok_is(&p->tok, "Userspace") && !tok_is(&p->tok, "Kernelspace"))
			return reader_fail(p, &p->tok, "expected `Userspace' or `Kernelspace' after `From'");
		c->filter.kernelspace = tok_is(&p->tok, "Kernelspace");
		reader_next(p);
	}
	return reader_block(p, k->block);
}

static void
print_filter(struct printer *p, const struct field *k, const void *base)
{
	const struct conf_filter *f = &((const struct conf *)base)->filter;

	if (f->proto_policy != FILTER_OFF || f->addr_policy != FILTER_OFF || f->state_policy != FILTER_OFF ||
	    f->kernelspace)
		printer_block(p, k->block, f->kernelspace ? "Filter From Kernelspace" : "Filter From Userspace");
}

const struct kind kind_filter = {read_filter, print_filter, NULL};

static int
read_old_traffic(struct reader *p, const struct field *k, void *base)
{
	(void)k;
	((struct conf *)base)->filter.addr_policy = FILTER_IGNORE;
	return reader_list(p, nets_item);
}

static int
read_old_protocol(struct reader *p, const struct field *k, void *base)
{
	(void)k;
	((struct conf *)base)->filter.proto_policy = FILTER_IGNORE;
	return reader_list(p, protocol_item);
}

static int
read_old_replicate(struct reader *p, const struct field *k, void *base)
{
	(void)k;
	((struct conf *)base)->filter.state_policy = FILTER_ACCEPT;
	return state_item(p);
}

const struct kind kind_old_traffic = {read_old_traffic, NULL, NULL},
		  kind_old_protocol = {read_old_protocol, NULL, NULL},
		  kind_old_replicate = {read_old_replicate, NULL, NULL};

/* A list that accepts nothing is most often one of names that are not known. */
static void
say_nothing_passes(const struct reader *p, enum filter_policy policy, bool empty, size_t off, const char *what)
{
	if (policy == FILTER_ACCEPT && empty)
		diag_at(p->d, LV_WARNING, reader_at(p, REC_CONF, off), "%s", what);
}

int
filter_finish(struct reader *p)
{
	static const uint8_t none[sizeof(((struct conf_filter *)0)->proto)];
	const struct conf_filter *f = &p->c->filter;

	say_nothing_passes(p, f->proto_policy, memcmp(f->proto, none, sizeof(none)) == 0,
			   offsetof(struct conf, filter.proto),
			   "`Protocol Accept' lists no known protocol: not one flow is replicated; names are those of "
			   "protocols(5), as `TCP' and `UDP'");
	say_nothing_passes(p, f->addr_policy, f->n_nets == 0, offsetof(struct conf, filter.n_nets),
			   "`Address Accept' lists no address: not one flow is replicated");
	say_nothing_passes(p, f->state_policy, f->tcp_states == 0, offsetof(struct conf, filter.tcp_states),
			   "`State Accept' lists no state: not one TCP flow is replicated");
	return nets_finish(p);
}
