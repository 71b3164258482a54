/*
 * Memory for tables in pieces of 2 MiB: mapped when needed, given back whole.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <stdbool.h>
#include <stddef.h>

#define CHUNK_SIZE ((size_t)2 << 20)

/* Zeroed, aligned to its size. huge: one page of that size, if the system agrees; a small table asks for small pages.
 * NULL: no memory. */
void *chunk_map(bool huge);
void chunk_unmap(void *chunk); /* NULL is fine */

#endif
