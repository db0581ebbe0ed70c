#include "agent/version.h"

const char tapwarden_version[] = TAPWARDEN_VERSION;
