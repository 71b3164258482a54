/*
 * Words, numbers and addresses in protocols that are text, read through a cursor. What a reader does not find leaves
 * the cursor where it was, or in the middle, and the answer is false: a parser gives up then.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>

#include "buf.h"

#define ADDRESS_TEXT_MAX 46 /* of either family, terminated */

/* The next octet without taking it; -1 at the end. */
int text_peek(const struct rd *r);
bool text_skip(struct rd *r, char c);         /* exactly this octet */
void text_skip_blanks(struct rd *r);          /* spaces and tabs */
bool text_word(struct rd *r, const char *w);  /* these letters, in upper or lower case */
bool text_exact(struct rd *r, const char *w); /* these octets */
/* Moves to the first w, in upper or lower case; false when there is none. */
bool text_find(struct rd *r, const char *w);
/* The octets up to the first c, without it; the cursor moves behind it. Bad when there is none. */
struct rd text_until(struct rd *r, char c);
/* The octets before the first of the characters in stop, or up to the end; the cursor moves to it. */
struct rd text_span(struct rd *r, const char *stop);
/* A line without its end; the cursor moves behind its newline. Bad when there is no newline. */
struct rd text_line(struct rd *r);

/* Decimal digits, at least one, at most digits, not above most. */
bool text_number(struct rd *r, unsigned int digits, uint32_t most, uint32_t *n);
bool text_port(struct rd *r, uint32_t *port); /* 1 to 65535 */

/* All of r is an address of that family in its usual text; network order. */
bool text_address(struct rd r, int family, uint8_t *address);
/* As text of exactly len octets, zeros before the groups of IPv6 filling up, or, when len is 0, in the usual text.
 * False when the address cannot be written so. */
bool address_text(int family, const uint8_t *address, size_t len, char text[ADDRESS_TEXT_MAX]);

#endif
