#include "agent/service.h"

#ifdef HAVE_LIBSYSTEMD
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "agent/base/clock.h"

void service_notify(const char *state)
{
	sd_notify(0, state);
}

void service_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   clock_ns(CLOCK_MONOTONIC) / NS_PER_US);
}
#else
void service_notify(const char *state)
{
	(void)state;
}

void service_reloading(void)
{
}
#endif
