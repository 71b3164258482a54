/* Capabilities: none for workers, CAP_NET_ADMIN for the parent, for good. Called by jail_enter(). */
#include <cap-ng.h>
#include <errno.h>

#include "jail.h"

int
caps_drop_bounding(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	return capng_apply(CAPNG_SELECT_BOUNDS) == 0 ? 0 : -EPERM;
}

int
caps_keep_only(bool net_admin)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (net_admin)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}
