/*
 * A ctnetlink socket in a network namespace of the test's own.
 */
#ifndef NLTEST_H
#define NLTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;
struct mnl_socket;

/* Enters a new network namespace. false: not allowed to, or the kernel has no ctnetlink. */
bool nltest_enter(void);
struct mnl_socket *nltest_open(unsigned int groups);
/* With CT_RECORD=folder in the environment every answer is kept there as an input for the fuzz targets.
 * Sends a request, asks for an acknowledgement; hands every answer to cb (may be NULL). Returns 0 or -errno. */
int nltest_talk(struct mnl_socket *nl, void *request, int (*cb)(const struct nlmsghdr *, void *), void *data);
/* All flows (subsys 1) or expectations (2) of a family. */
int nltest_dump(struct mnl_socket *nl, uint8_t subsys, uint8_t family, int (*cb)(const struct nlmsghdr *, void *),
		void *data);
int nltest_flush(struct mnl_socket *nl, uint8_t subsys);

#endif
