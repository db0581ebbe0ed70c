/* The version, as git describes the tree it was built from. */
#ifndef TW_VERSION_H
#define TW_VERSION_H

extern const char tapwarden_version[];

#endif
