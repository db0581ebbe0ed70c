#!/usr/bin/env bats
# Hostile values in what else there is of a guest: names, addresses, identities, choices.

bats_require_minimum_version 1.5.0

load breakout.bash

@test "in every other field of [guest]" {
  local named='guest/((install|rescue)-)?(kernel|initrd|cmdline)'
  fields "$(perl "$BATS_TEST_DIRNAME/breakout.pl" - list | grep -Ev "^target/|^$named$" | paste -sd'|')"
}

@test "a real iPXE finds in the scripts the words that stand there" {
  ipxe_finds_the_words 3
}
