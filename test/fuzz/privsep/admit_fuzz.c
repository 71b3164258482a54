/* Any bytes as a message of any role in any phase: the table never reads past the payload, and what it admits is known.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "msg_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *payload;
	struct msg m = {0};

	if (size < 12)
		return 0;
	memcpy(&m.type, data + 4, sizeof(m.type));
	memcpy(&m.arg, data + 8, sizeof(m.arg));
	m.nfds = data[3] % (CHAN_FDS_MAX + 1);
	m.len = size - 12;
	if ((payload = calloc(1, m.len > 0 ? m.len : 1)) == NULL)
		abort();
	if (m.len > 0)
		memcpy(payload, data + 12, m.len);
	m.data = payload;
	if (msg_admit((enum role)(data[0] % (ROLE_MAX + 1)), (enum role)(data[1] % (ROLE_MAX + 1)),
		      (enum phase)(data[2] % 4), &m) == ADMIT_OK &&
	    (m.type == MSG_NONE || m.type >= MSG_MAX || m.len > MSG_DATA_MAX))
		abort();
	free(payload);
	return 0;
}
