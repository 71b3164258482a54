/* Small flows to put into caches. */
#ifndef FLOWS_H
#define FLOWS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "cache.h"

static inline struct flow
flow_nr(uint32_t n)
{
	struct flow f = {.l3 = AF_INET,
			 .l4 = IPPROTO_TCP,
			 .have = FLOW_STATUS | FLOW_TIMEOUT | FLOW_STATE | FLOW_PORTS | FLOW_REPLY,
			 .status = 0xe,
			 .timeout = 100,
			 .state = 3};

	f.addr[0] = f.addr[3] = htonl(0x0a000000 + n / 60000);
	f.addr[1] = f.addr[2] = htonl(0x0a800001);
	f.port[0] = f.port[3] = htons((uint16_t)(1000 + n % 60000));
	f.port[1] = f.port[2] = htons(80);
	return f;
}

#endif
