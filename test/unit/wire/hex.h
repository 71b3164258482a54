/* Reads the hexadecimal files of test/vectors. */
#ifndef HEX_H
#define HEX_H

#include <stddef.h>
#include <stdint.h>

/* Octets of dir/name, at most size; -1 when it cannot be read or is not hexadecimal. */
int hex_read(const char *dir, const char *name, uint8_t *buf, size_t size);

#endif
