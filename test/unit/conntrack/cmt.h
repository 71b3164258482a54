/* What every cmocka program here includes. */
#ifndef CMT_H
#define CMT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

#endif
