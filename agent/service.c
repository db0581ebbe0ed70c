#include "agent/service.h"

#ifdef HAVE_LIBSYSTEMD
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "agent/base/clock.h"
#include "agent/base/late_lib.h"
#include "agent/base/log.h"

/* The Makefile knows which one is there. */
#ifndef SYSTEMD_SONAME
#define SYSTEMD_SONAME "libsystemd.so.0"
#endif

LATE_LIB_NOTE(SYSTEMD_SONAME, "recommended", "the agent as a service");

/* Loaded where a service manager listens; what it is told of comes too seldom to keep it. */
void service_notify(const char *state)
{
	__typeof__(&sd_notify) notify;
	const struct late_symbol symbol = { "sd_notify", &notify };
	struct err err;

	if (!getenv("NOTIFY_SOCKET"))
		return;
	if (late_lib_load(SYSTEMD_SONAME, &symbol, 1, &err) == 0)
		notify(0, state);
	else
		log_err("cannot tell the service manager: %s: it takes the agent for what it was",
			err.text);
}

void service_reloading(void)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 clock_ns(CLOCK_MONOTONIC) / NS_PER_US);
	service_notify(state);
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
