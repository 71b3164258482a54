/*
 * Addresses, networks, NAT targets, marks and numbers. What is accepted as an address must read back from its text.
 */
#include "args.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
address(const char *text)
{
	char back[ADDR_TEXT_MAX + 1];
	struct addr a, b;
	unsigned len;
	bool has;

	(void)arg_cidr(text, &a, &len, &has);
	if (arg_addr(text, &a) < 0)
		return;
	back[addr_text(&a, back)] = '\0';
	if (arg_addr(back, &b) < 0 || !addr_equal(&a, &b))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct nat_arg n;
	uint32_t v, m;
	uint64_t w;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	address(text);
	(void)arg_nat(text, &n);
	(void)arg_mark(text, &v, &m);
	(void)arg_number(text, UINT64_MAX, &w);
	if (arg_decimal(text, 65535, &w) == 0 && w > 65535)
		abort();
	free(text);
	return 0;
}
