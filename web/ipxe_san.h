/* What iPXE's commands of SAN disks do: sanboot, sanhook, sanunhook. Pure. */
#ifndef TW_IPXE_SAN_H
#define TW_IPXE_SAN_H

#include "web/ipxe_effect.h"

/* As ipxe_effect() runs them. */
int ipxe_sanboot(struct ipxe_runner *run, const struct ipxe_call *call);
int ipxe_sanhook(struct ipxe_runner *run, const struct ipxe_call *call);
int ipxe_sanunhook(struct ipxe_runner *run, const struct ipxe_call *call);

#endif
