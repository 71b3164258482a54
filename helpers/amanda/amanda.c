/* Amanda: the server's answer names up to three ports, in a line that begins with CONNECT. */
#include <netinet/in.h>

#include "inspect.h"
#include "text.h"

#define PATIENCE 300 /* seconds: an estimate takes long */
#define SCAN_MAX 2048
#define STREAMS  3

static bool
stream_name(struct rd *r)
{
	return text_exact(r, "DATA ") || text_exact(r, "MESG ") || text_exact(r, "INDEX ");
}

static void
inspect(struct inspect *in)
{
	struct rd r = in->payload, line;
	uint32_t port;

	if (from_client(in))
		return;
	in->answer->timeout = PATIENCE;
	if (rd_left(&r) > SCAN_MAX)
		r.end = r.p + SCAN_MAX;
	while (!text_exact(&r, "CONNECT "))
		if (rd_take(&r, 1) == NULL)
			return;
	line = text_span(&r, "\r\n");
	for (int n = 0; n < STREAMS && rd_left(&line) > 0;) {
		if (!stream_name(&line)) {
			rd_take(&line, 1);
			continue;
		}
		if (!text_port(&line, &port) || propose(in, REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, port) == NULL)
			return;
		n++;
	}
}

const struct parser parser_amanda = {"amanda", 0, 0, inspect};
