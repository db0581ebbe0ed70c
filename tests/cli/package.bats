#!/usr/bin/env bats
# The Debian package: what is in it, what it asks for, and that it is the same bytes each time.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup_file() {
  export first=$BATS_FILE_TMPDIR/1 second=$BATS_FILE_TMPDIR/2
  mkdir "$first" "$second"
  make -s -C "$ROOT" deb PACKAGES="$first" >"$first/said"
  # Later, by somebody with other habits.
  umask 077
  TZ=Asia/Tokyo LC_ALL=C.UTF-8 make -s -C "$ROOT" deb PACKAGES="$second" >"$second/said"
}

setup() {
  deb=$(cat "$first/said")
}

field() {
  dpkg-deb -f "$deb" "$1"
}

@test "two packages of one commit are the same bytes" {
  [ "$first" != "$second" ]
  cmp "$deb" "$(cat "$second/said")"
  # And all that is in it has the commit's time.
  run -0 sh -c 'dpkg-deb --fsys-tarfile "$1" | TZ=UTC tar -tv --full-time -f - | awk "{ print \$4, \$5 }" | sort -u' sh "$deb"
  [ "$output" = "$(TZ=UTC git -C "$ROOT" log -1 --date=iso-local --format=%cd | sed 's/ +0000//')" ]
}

@test "it has what install installs, owned by root, and what Debian wants of a package" {
  local file
  dpkg-deb -c "$deb" >"$BATS_TEST_TMPDIR/list"
  run ! grep -v '^[-d][rwx-]* root/root ' "$BATS_TEST_TMPDIR/list"
  for file in etc/tapwarden/tapwarden.ini.example usr/bin/tapwarden usr/lib/systemd/system/tapwarden.service \
    usr/lib/sysusers.d/tapwarden.conf usr/lib/tmpfiles.d/tapwarden.conf usr/share/man/man1/tapwarden.1.gz \
    usr/share/man/man5/tapwarden.ini.5.gz usr/share/bash-completion/completions/tapwarden \
    usr/share/zsh/vendor-completions/_tapwarden \
    usr/share/doc/tapwarden/copyright usr/share/doc/tapwarden/changelog.gz; do
    grep -q " \./$file\$" "$BATS_TEST_TMPDIR/list" || { echo "no $file"; false; }
  done
  run -0 dpkg-deb -I "$deb" conffiles
  [ "$output" = /etc/tapwarden/tapwarden.ini.example ]
}

@test "it depends on what the program is linked to, and on what it loads late" {
  local soname package
  [ "$(field Package)" = tapwarden ]
  [ "$(field Architecture)" = "$(dpkg --print-architecture)" ]
  dpkg --compare-versions "$(field Version)" gt 0
  field Depends | sed 's/, /\n/g' >"$BATS_TEST_TMPDIR/depends"
  dpkg-deb -x "$deb" "$BATS_TEST_TMPDIR/root"
  # As the loader sees it; libc's own parts and what those bring are the libraries' matter.
  for soname in $(readelf -d "$BATS_TEST_TMPDIR/root/usr/bin/tapwarden" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p') \
    libcurl-gnutls.so.4 libmicrohttpd.so.12 libpcap.so.0.8; do
    package=$(dpkg-query -S "*/$soname" | sed 's/:.*//' | sort -u)
    grep -Eq "^$package( |\$)" "$BATS_TEST_TMPDIR/depends" || { echo "$soname: no $package"; false; }
  done
  grep -q 'systemd-sysusers' "$BATS_TEST_TMPDIR/depends"
  [ "$(field Recommends)" = libsystemd0 ]
}

@test "what is unpacked runs, and every file has the sum that it says" {
  cd "$BATS_TEST_TMPDIR"
  dpkg-deb -x "$deb" root
  dpkg-deb -e "$deb" control
  run -0 root/usr/bin/tapwarden help
  [[ "$output" == *"tapwarden check"* ]]
  run -0 root/usr/bin/tapwarden check -c root/etc/tapwarden/tapwarden.ini.example
  cd root
  md5sum --quiet -c ../control/md5sums
  [ "$(find usr -type f | wc -l)" -eq "$(wc -l <../control/md5sums)" ]
  run -0 man --warnings -l usr/share/man/man1/tapwarden.1.gz
  [[ "$output" == *"TAPWARDEN(1)"* ]]
}

@test "uninstall takes what install put there, and nothing else" {
  local root=$BATS_TEST_TMPDIR/root
  # Whatever the habits of who installs it.
  (umask 077 && make -s -C "$ROOT" install DESTDIR="$root")
  [ "$(find "$root" -type f | wc -l)" -ge 11 ]
  [ -z "$(find "$root" -mindepth 1 ! -perm 0644 ! -perm 0755)" ]
  echo '[agent]' >"$root/etc/tapwarden/tapwarden.ini"
  echo other >"$root/usr/local/bin/other"
  make -s -C "$ROOT" uninstall DESTDIR="$root"
  run -0 sh -c 'cd "$1" && find . -type f -o -name tapwarden | sort' sh "$root"
  [ "$output" = $'./etc/tapwarden\n./etc/tapwarden/tapwarden.ini\n./usr/local/bin/other' ]
  # And is done with when nothing is left.
  make -s -C "$ROOT" uninstall DESTDIR="$root"
}
