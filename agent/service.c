#include "agent/service.h"

#ifdef HAVE_LIBSYSTEMD
#include <inttypes.h>
#include <stdint.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void service_notify(const char *state)
{
	sd_notify(0, state);
}

void service_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
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
