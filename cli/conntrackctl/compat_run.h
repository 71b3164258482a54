/*
 * The old client mode of conntrackd as a program.
 */
#ifndef COMPAT_RUN_H
#define COMPAT_RUN_H

/* Does and prints what the 1.4.9 client does for these arguments (without the program's name). Returns the exit
 * status: 0, 1 or 2. */
int compat_run(int argc, char *const argv[]);

#endif
