/*
 * Help on standard output, for -h and for a command line without command.
 */
#include "usage.h"

#include <netdb.h>

static const char text[] = "Command line interface for the connection tracking system. Version " CT_COMPAT_VERSION "\n"
			   "Usage: conntrack [commands] [options]\n"
			   "\n"
			   "Commands:\n"
			   "  -L [table] [options]\t\tList conntrack or expectation table\n"
			   "  -G [table] parameters\t\tGet conntrack or expectation\n"
			   "  -D [table] parameters\t\tDelete conntrack or expectation\n"
			   "  -I [table] parameters\t\tCreate a conntrack or expectation\n"
			   "  -A parameters\t\t\tCreate a conntrack, or update the one there is\n"
			   "  -U parameters\t\t\tUpdate a conntrack\n"
			   "  -E [table] [options]\t\tShow events\n"
			   "  -F [table]\t\t\tFlush table\n"
			   "  -C [table]\t\t\tShow counter\n"
			   "  -S [table]\t\t\tShow statistics\n"
			   "  -R file\t\t\tRun commands from file, - for standard input\n"
			   "  -V, -h\t\t\tShow version, help\n"
			   "\n"
			   "Tables: conntrack, expect, dying, unconfirmed\n"
			   "\n"
			   "Conntrack parameters and options:\n"
			   "  -n, --src-nat [ip[:port]]\tsource NAT\n"
			   "  -g, --dst-nat [ip[:port]]\tdestination NAT\n"
			   "  -j, --any-nat [ip[:port]]\tsource or destination NAT\n"
			   "  -m, --mark mark[/mask]\tMark\n"
			   "  -c, --secmark secmark\t\tSecurity mark\n"
			   "  -e, --event-mask mask[,...]\tEvents: ALL, NEW, UPDATES, DESTROY\n"
			   "  -z, --zero\t\t\tZero counters while listing\n"
			   "  -o, --output type[,...]\tOutput: xml, extended, timestamp, id, ktimestamp, labels,\n"
			   "\t\t\t\tuserspace, save, json\n"
			   "      --json\t\t\tSame as -o json\n"
			   "  -i, --id id\t\t\tEntry id\n"
			   "  -l, --label label[,...]\tLabels that must be set\n"
			   "  -M, --labelmap file\t\tLabel names, instead of " LABELMAP_PATH "\n"
			   "      --from-file file\t\tWith -D: selections, one a line, - for standard input\n"
			   "\n"
			   "Expectation parameters and options:\n"
			   "  --tuple-src ip, --tuple-dst ip\tAddresses of the expected connection\n"
			   "\n"
			   "Updating parameters and options:\n"
			   "  --label-add label[,...]\tSet labels\n"
			   "  --label-del [label[,...]]\tClear labels, without names all\n"
			   "\n"
			   "Common parameters and options:\n"
			   "  -s, --src, --orig-src ip[/len]\tSource address, original direction\n"
			   "  -d, --dst, --orig-dst ip[/len]\tDestination address, original direction\n"
			   "  -r, --reply-src ip\t\tSource address, reply direction\n"
			   "  -q, --reply-dst ip\t\tDestination address, reply direction\n"
			   "  -p, --protonum proto\t\tLayer 4 protocol, e.g. tcp\n"
			   "  -f, --family proto\t\tLayer 3 protocol, ipv4 or ipv6\n"
			   "  -t, --timeout seconds\t\tTimeout\n"
			   "  -u, --status status[,...]\tStatus: ASSURED, SEEN_REPLY, UNSET, FIXED_TIMEOUT, EXPECTED,\n"
			   "\t\t\t\tOFFLOAD, HW_OFFLOAD, UNREPLIED; !STATUS negates\n"
			   "  -w, --zone zone\t\tZone; --orig-zone, --reply-zone: of one direction\n"
			   "  -b, --buffer-size bytes\tReceive buffer for events\n"
			   "      --mask-src ip, --mask-dst ip\tAddress masks\n"
			   "\n";

static const struct {
	enum pfield field;
	const char *help;
} help[] = {
	{FIELD_SPORT, "original source port or key"},
	{FIELD_DPORT, "original destination port or key"},
	{FIELD_RSPORT, "reply source port or key"},
	{FIELD_RDPORT, "reply destination port or key"},
	{FIELD_MSPORT, "mask of source port or key"},
	{FIELD_MDPORT, "mask of destination port or key"},
	{FIELD_TSPORT, "expected source port or key"},
	{FIELD_TDPORT, "expected destination port or key"},
	{FIELD_STATE, "connection state, e.g. ESTABLISHED"},
	{FIELD_OVTAG, "verification tag, original direction"},
	{FIELD_RVTAG, "verification tag, reply direction"},
	{FIELD_ROLE, "role of the initiator: client or server"},
	{FIELD_TYPE, "type"},
	{FIELD_CODE, "code"},
	{FIELD_ICMPID, "id"},
};

void
usage(struct out *o, const struct cmd *c)
{
	const struct popt *p;

	out_str(o, text);
	if (!cmd_has(c, OPT_PROTO))
		return;
	if (c->proto == NULL) {
		const struct protoent *pe = getprotobynumber(c->orig.proto);

		out_fmt(o, "Proto `%s' help:\n  no options (unsupported)\n", pe != NULL ? pe->p_name : "unknown");
		return;
	}
	out_fmt(o, "Proto `%s' help:\n", c->proto->name);
	for (p = c->proto->opts; p->name != NULL; p++)
		out_fmt(o, "  --%-22s%s\n", p->name, help[p->field].help);
}
