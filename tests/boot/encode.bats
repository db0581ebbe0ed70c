#!/usr/bin/env bats
# What would break out of its place, as the programs that read these languages read it: sh and dash,
# grub-script-check, libyaml by perl, jq, xmllint. A value arrives as it was given, or was refused.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
ENCODE=$ROOT/build/tests/boot/encode_one

# The break-out table: each is a file, so that its bytes survive the shell.
setup() {
  cd "$BATS_TEST_TMPDIR" || return
  mkdir values
  local n=0 value
  while IFS= read -r value; do
    printf '%b' "$value" >"values/$n"
    n=$((n + 1))
  done <<'END'
plain
two words
a\nb
a\rb
a\tb
end\\\\
#x
||
&&
;
a;reboot
${x}
$(reboot)
`reboot`
-x
%41
a'b
'
''
"
a"b
\\\\"
 a
a 
: a
- a
&a *a
!!int 3
{a: b}
[1]
null
<b>&amp;</b>
]]>
<!--
\303\251
\342\200\250
\302\205
\377
\033[0m
*
?
END
}

# each LANGUAGE FUNCTION: which prints what the language's own reader makes of "$text" for a value.
each() {
  local value text taken=0
  for value in values/*; do
    if ! text=$("$ENCODE" "$1" <"$value" 2>refusal && echo .); then
      grep -q ' byte 0x[0-9a-f][0-9a-f] at offset [0-9]\| it is empty$' refusal
      continue
    fi
    text=${text%.}
    "$2" "$text" >got
    cmp "$value" got || { od -c "$value"; od -c got; return 1; }
    taken=$((taken + 1))
  done
  echo "$taken values were taken"
  [ "$taken" -ge "$3" ]
}

by_sh() {
  printf 'printf %%s %s\n' "$1" >script
  sh -n script && sh script
}

# What GRUB takes for one word is what a shell does; and it takes the script.
by_grub() {
  printf 'linux /vmlinuz %s\nboot\n' "$1" >script
  grub-script-check script && by_sh "$1"
}

by_yaml() {
  printf 'before: 1\nvalue: %s\nafter: 2\n' "$1" >file.yaml
  perl -MYAML::XS=LoadFile -e '$d = LoadFile("file.yaml"); keys %$d == 3 && $d->{after} == 2 or die;
    utf8::encode($d->{value}); print $d->{value}'
}

by_jq() {
  printf '{"before":1,"value":%s,"after":2}' "$1" | jq -j 'if length == 3 then .value else error end'
}

by_xmllint() {
  printf '<a x="%s" y="1"><b>%s</b></a>' "$1" "$1" >file.xml
  xmllint --noout file.xml
  [ "$(xmllint --xpath 'count(//*)+count(//@*)' file.xml)" = 4 ]
  # It ends its output by a newline of its own.
  xmllint --xpath 'string(/a/b)' file.xml >element
  xmllint --xpath 'string(/a/@x)' file.xml | cmp - element
  head -c -1 element
}

# A shell that splits the kernel's line as initrds do, with a folder of files to match patterns with.
by_initrd() {
  mkdir -p empty && touch empty/a empty/b
  printf 'first %s last' "x=$1" >line
  (cd empty && sh -c 'for x in $(cat ../line); do case $x in x=*) printf %s "${x#x=}" ;; first | last) ;; *) exit 1 ;; esac; done')
}

by_systemd_syntax() {
  printf '[A]\nb=1\nx=%s\nc=2\n' "$1" >file.ini
  [ "$(wc -l <file.ini)" -eq 4 ]
  perl -ne 'next if /^\s*[#;]/; if (/^x=\s*(.*?)\s*$/) { $v = $1; $v =~ s/\s+[#;].*//; $v =~ s/^(["\x27])(.*)\1$/$2/; print $v }' file.ini
}

@test "sh reads back every value" {
  each sh by_sh 41
}

@test "GRUB takes every value of printable ASCII as one word" {
  each grub by_grub 28
}

@test "libyaml reads back every value of UTF-8" {
  each yaml by_yaml 40
}

@test "jq reads back every value of UTF-8" {
  each json by_jq 40
}

@test "xmllint reads back every value that XML has, as text and as attribute" {
  each xml by_xmllint 38
}

@test "an initrd's shell reads back what stands on the kernel's line" {
  each cmdline by_initrd 5
}

@test "what stands in an INI file is all of its line" {
  each ini by_systemd_syntax 18
}
