/*
 * Runs a program that is installed in the same folder as this one.
 */
#ifndef SIBLING_H
#define SIBLING_H

/* argv[0] names the program. Returns only when it cannot: -errno. */
int sibling_exec(char *const argv[]);

#endif
