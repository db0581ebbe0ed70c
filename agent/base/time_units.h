/* Times are 64-bit numbers of nanoseconds unless their names say otherwise. Pure. */
#ifndef TW_TIME_UNITS_H
#define TW_TIME_UNITS_H

#include <stdint.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

#endif
