/* What a daemon might answer: the first octet picks the verb and the format, the rest is the stream of frames, or
 * (16) figures, zeros behind them. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "rsqueue.h"
#include "show.h"
#include "stats.h"
#include "stats_json.h"
#include "stats_text.h"
#include "status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
print_stats(const struct answer *a)
{
	FILE *null = fopen("/dev/null", "w");

	if (null == NULL || !a->has_stats)
		goto out;
	for (unsigned int v = 0; v < VIEW_MAX; v++) {
		stats_text(null, &a->stats, (enum view)v);
		stats_json(null, &a->stats, (enum view)v);
	}
	status_text(null, &a->stats, true);
	status_json(null, &a->stats);
out:
	if (null != NULL)
		fclose(null);
}

static void
talk(struct client *c, uint8_t how, struct answer *a)
{
	struct request q = {.verb = how & 4 ? CTL_RSQUEUE : CTL_DUMP,
			    .format = (enum format)((how & 3) % 3),
			    .caches = how & 8 ? CTL_EXTERNAL : CTL_INTERNAL};
	struct rsqueue rs = {.element = NULL};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct show s;

	if (show_init(&s, null, &q) < 0)
		abort();
	if (q.verb == CTL_RSQUEUE)
		ask_client(c, &q, rsqueue_records, &rs, a);
	else
		ask_client(c, &q, show_records, &s, a);
	rsqueue_clear(&rs);
	show_done(&s);
	close(null);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer a = {.err = 0};
	struct client *c;
	char text[128];
	int sv[2];

	if (size > 0 && data[0] & 16) {
		a.has_stats = true;
		memcpy(&a.stats, data + 1, size - 1 < sizeof(a.stats) ? size - 1 : sizeof(a.stats));
		stats_clean(&a.stats);
		print_stats(&a);
		return 0;
	}
	if (size < 1 || size > 100000 || socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		return 0;
	if (send(sv[1], data + 1, size - 1, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size - 1 &&
	    (c = client_from(sv[0], 1000)) != NULL) {
		shutdown(sv[1], SHUT_WR);
		talk(c, data[0], &a);
		print_stats(&a);
		answer_text(&a, "path", text, sizeof(text));
		answer_status(&a);
		client_free(c);
	} else {
		close(sv[0]);
	}
	close(sv[1]);
	return 0;
}
