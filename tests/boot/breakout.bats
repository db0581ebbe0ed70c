#!/usr/bin/env bats
# Hostile values in what a guest boots: its target, kernels and initrds, and words for them.

bats_require_minimum_version 1.5.0

load breakout.bash

@test "in every field of [target]" {
  fields 'target/.*'
}

@test "in the guest's kernels, initrds and their words" {
  fields 'guest/((install|rescue)-)?(kernel|initrd|cmdline)'
}

@test "a real iPXE finds in the scripts the words that stand there" {
  ipxe_finds_the_words 100
}
