/*
 * Settings from a hostile writer. An input that begins with 'r' is the memory itself; any other is a list of changes to
 * the memory of good settings: two bytes offset, one byte to xor. What is accepted can be written again unchanged.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "parse.h"
#include "print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char good[] =
	"Sync { Mode NOTRACK { DisableInternalCache on }"
	"TCP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth1 CheckSource off }"
	"TCP Default { IPv6_address fe80::1 IPv6_Destination_Address fe80::2 Port 3781 Interface eth2 Checksum off }"
	"Options { ExpectationSync { ftp sip } TCPWindowTracking on } }"
	"General { LogFile on Syslog local3 UNIX { Path /run/c.ctl Group ops }"
	"Filter From Kernelspace { Protocol Accept { TCP 200 } State Accept { ESTABLISHED for TCP }"
	"Address Ignore { IPv4_address 10.0.0.0/8 IPv6_address ::1 } } }"
	"Helper { Setup on Type ftp inet tcp { QueueNum 3 Policy ftp { ExpectMax 7 } } Type tns inet6 tcp { } }";

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
read_back(const uint8_t *mem, size_t size)
{
	struct conf c;
	uint8_t *again = NULL;
	char *text;
	size_t n;

	if (blob_read(&c, mem, size) != 0)
		return;
	n = blob_size(&c);
	must(n <= size && (again = malloc(n)) != NULL && blob_write(&c, again, n) == (int)n);
	must(memcmp(again, mem, n) == 0);
	must((text = conf_print(&c, NULL, &n)) != NULL);
	free(text);
	free(again);
	conf_clear(&c);
}

static void
change_good(const uint8_t *data, size_t size)
{
	struct conf_source src = {.text = good, .len = sizeof(good) - 1};
	struct conf c;
	uint8_t *mem;
	size_t n;

	must(conf_parse(&c, &src) == 0);
	n = blob_size(&c);
	must((mem = malloc(n)) != NULL && blob_write(&c, mem, n) == (int)n);
	for (; size >= 3; data += 3, size -= 3)
		mem[(data[0] << 8 | data[1]) % n] ^= data[2];
	read_back(mem, n);
	free(mem);
	conf_clear(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *mem;

	if (size == 0 || data[0] != 'r') {
		change_good(data, size);
		return 0;
	}
	must((mem = malloc(size)) != NULL);
	memcpy(mem, data + 1, size - 1);
	read_back(mem, size - 1);
	free(mem);
	return 0;
}
