/*
 * The label file: whatever it holds, names that were read are found again.
 */
#include "labelmap.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *f = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	struct labelmap *m;

	if (f == NULL)
		return 0;
	m = labelmap_read(f);
	fclose(f);
	for (unsigned i = 0; m != NULL && i < LABELMAP_BITS; i++)
		if (labelmap_name(m, i) != NULL && labelmap_bit(m, labelmap_name(m, i)) != (int)i)
			abort();
	labelmap_free(m);
	return 0;
}
