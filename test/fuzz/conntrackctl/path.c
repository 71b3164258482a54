/* The socket's path out of any file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sockpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[SOCKPATH_MAX];

	if (sockpath_find((const char *)data, size, path) == 0 && (path[0] != '/' || strlen(path) >= SOCKPATH_MAX))
		abort();
	return 0;
}
