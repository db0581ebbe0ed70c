/* What the service manager is told, by sd_notify(3) where libsystemd is there. Edge. */
#ifndef TW_SERVICE_H
#define TW_SERVICE_H

/* `state` as in sd_notify(3): "READY=1\nSTATUS=...". Nothing happens outside a service manager. */
void service_notify(const char *state);

/* "RELOADING=1" with the time that Type=notify-reload asks for. */
void service_reloading(void);

#endif
