/*
 * Splits a line of a file into the words of a command line.
 */
#ifndef WORDS_H
#define WORDS_H

#define WORDS_MAX    254
#define WORD_LEN_MAX 1023

enum words_error { WORDS_TOO_MANY = -1, WORDS_TOO_LONG = -2, WORDS_UNFINISHED = -3 };

/* Cuts line in place. argv (WORDS_MAX + 2 pointers) gets a program name, the words and a NULL; returns argc, or an
 * enum words_error. Blanks separate; double quotes group, and a backslash inside them escapes. */
int words_split(char *line, char **argv);
const char *words_strerror(enum words_error e);

#endif
