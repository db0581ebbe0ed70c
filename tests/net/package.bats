#!/usr/bin/env bats
# The Debian package is installed below another root, and purged.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# What it depends on is not there, and its scripts run without chroot(8), as those of a new system's do.
# A machine may leave out manual pages and documents.
dpkg_there() {
  dpkg --root="$there" --log=/dev/null --force-depends --force-script-chrootless --path-include='/*' "$@" 2>&1
}

@test "dpkg installs it with its users and folders, enables nothing, and purges it" {
  local there=$BATS_TEST_TMPDIR/there deb capture
  deb=$(make -s -C "$ROOT" deb PACKAGES="$BATS_TEST_TMPDIR")
  mkdir -p "$there/var/lib/dpkg"
  touch "$there/var/lib/dpkg/status"
  run -0 dpkg_there -i "$deb"
  [ "$(dpkg-query --admindir="$there/var/lib/dpkg" -W -f '${db:Status-Status}' tapwarden)" = installed ]
  capture=$(sed -n 's/^_tapwarden-capture:x:\([0-9]*\):.*/\1/p' "$there/etc/passwd")
  grep -q '^_tapwarden-web:' "$there/etc/passwd"
  [ "$(stat -c '%u %a' "$there/var/log/tapwarden")" = "$capture 750" ]
  run -0 dpkg_there --verify tapwarden
  [ -z "$output" ]
  run -0 find "$there" -name '*.wants'
  [ -z "$output" ]

  # What the owner wrote stays, what the agent wrote goes.
  echo x >"$there/var/log/tapwarden/records.json"
  echo '[agent]' >"$there/etc/tapwarden/tapwarden.ini"
  run -0 dpkg_there -r tapwarden
  [ -e "$there/var/log/tapwarden/records.json" ]
  run -0 dpkg_there -P tapwarden
  run -0 find "$there" -name "*tapwarden*" ! -path "*/dpkg/*"
  [ "$(sort <<<"$output")" = "$(printf '%s\n' "$there/etc/tapwarden" "$there/etc/tapwarden/tapwarden.ini")" ]
}
