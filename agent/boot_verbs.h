/* The verbs under `tapwarden boot`, one file each. They return exit codes. */
#ifndef TW_BOOT_VERBS_H
#define TW_BOOT_VERBS_H

int boot_render(int argc, char **argv);
int boot_kit(int argc, char **argv);
int boot_set(int argc, char **argv);
int boot_lint(int argc, char **argv);
int boot_simulate(int argc, char **argv);
int boot_decode_verb(int argc, char **argv);

#endif
