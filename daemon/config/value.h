/*
 * Words as values. Every value is bounded here or refused.
 */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>

#include "lex.h"

/* The word as an on/off value: 1, 0 or -1 when it is neither. */
int word_bool(const struct token *t);
/* -EINVAL when t is no number, -ERANGE above max. */
int word_num(const struct token *t, uint32_t max, uint32_t *v);
/* Dotted quad or IPv6, with a prefix when prefix is not NULL. 0, -EINVAL (no address), -ERANGE (bad prefix). */
int word_addr(const struct token *t, int family, uint8_t addr[16], int *prefix);
/* Letters, digits, '.', '-' and '_', as the names of groups and helpers. */
bool word_is_name(const struct token *t);

#endif
