#!/usr/bin/perl
# What would break out of its place, in every field of [target] and [guest], through every file of a
# kit and every script: breakout.pl TAPWARDEN FIELD LINES, or `list` for the fields
#
# Each value is refused, with the field and the reason, or it is accepted. Then what it gives is read by
# the programs that these languages are for - sh, bash, GRUB, libyaml, jq, xmllint, debconf, findmnt,
# dnsmasq - and must be what a plain word in the same place gives, with the value where the word was.
# Commands of iPXE's scripts go to the file LINES, which a real iPXE reads later.
use strict;
use warnings;
use Cwd;
use File::Find;
use File::Path qw(make_path remove_tree);
use JSON::PP;
use YAML::XS ();

my ($tapwarden, $field, $lines) = @ARGV;

# A word that is valid wherever a template has its place.
my $plain = 'zqz';

my @values = (
	"a\nb", "a\rb", "a\tb", "a\x00b", "end\\", 'a\\b', 'two words', ' a', 'a ', '#x', 'a #x', 'a#x', ';', 'a ; b', 'a;b', '||', 'a || b', 'a && b',
	'a&b', '${x}', '${${x}}', '$(id>&2)', '`id`', '-x', '--', '%41', '%s', "a'b", "'", "'x'", 'a"b', '"x"', 'a, b', 'a: b', ': x', '- a', '&a', '*a',
	'!!int 3', '{a: b}', '[1]', 'null', '~', '<b>&amp;</b>', ']]>', '<!--', '?', '*', '/../x', '..', '\\n', '(a)', '{a,b}', 'a=b', '@', 'a:b:c', '!',
	"\xc3\xa9", "\xe2\x80\xa8", "\xc2\x9b2J", "\xff", "\xc0\xaf", "\e[2J", "\x7f", "\x01", 'x' x 300, 'x' x 3000,
);

# Templates of a field, V being the place; what follows the slash of a name is its section.
my %fields = (
	'target/section'		=> ['aVb'],
	'target/portal'			=> ['V', '192.0.2.2:V', '[2001:db8::V]'],
	'target/name'			=> ['iqn.2026-01.test:V'],
	'target/lun'			=> ['1V'],
	'target/chap-user'		=> ['V', 'aVb'],
	'target/chap-secret-file'	=> ['/nowhere/V'],
	'target/reverse-user'		=> ['aVb'],
	'target/chap-secret'		=> ['Vsecret123456', 'secret123456V'],
	'target/reverse-secret'		=> ['anotherV12345'],
	'guest/section'			=> ['aVb'],
	'guest/link'			=> ['web01V'],
	'guest/target'			=> ['diskV'],
	'guest/boot'			=> ['kernelV'],
	'guest/initiator'		=> ['iqn.2026-01.test:V'],
	'guest/kernel'			=> ['/srv/V', 'http://V/k'],
	'guest/initrd'			=> ['http://h.example/V'],
	'guest/cmdline'			=> ['V', 'a="V"'],
	'guest/install-kernel'		=> ['http://h.example/V'],
	'guest/install-initrd'		=> ['/srv/V'],
	'guest/install-cmdline'		=> ['quiet V a'],
	'guest/install-seed'		=> ['preseedV'],
	'guest/rescue-kernel'		=> ['/srv/V'],
	'guest/rescue-initrd'		=> ['http://h.example/V'],
	'guest/rescue-cmdline'		=> ['a=V'],
	'guest/menu'			=> ['run V'],
	'guest/menu-timeout'		=> ['1V'],
	'guest/hostname'		=> ['V'],
	'guest/address'			=> ['192.0.2.10V/24', '192.0.2.10/24V'],
	'guest/gateway'			=> ['192.0.2.254V'],
	'guest/dns'			=> ['192.0.2.53 V'],
	'guest/interface'		=> ['V'],
	'guest/firmware'		=> ['biosV'],
	'guest/ipxe-caps'		=> ['https V'],
	'guest/uuid'			=> ['11111111-2222-3333-4444-55555555555V'],
	'guest/root-uuid'		=> ['11111111-2222-3333-4444-55555555555V'],
	'guest/swap-uuid'		=> ['11111111-2222-3333-4444-55555555555V'],
	'guest/swap'			=> ['1GV'],
	'guest/root-password'		=> ['$6$sOmEsAlTV$F3DN61SEKPHtTeIzgzyLe'],
	'guest/suite'			=> ['V'],
	'guest/mirror'			=> ['http://h.example/V'],
);

if ($field eq 'list') {
	print "$_\n" for sort keys %fields;
	exit;
}
my ($section, $key) = split m{/}, $field;
my $here = getcwd;

# ---- the configuration ---------------------------------------------------------------------------

my %target = (portal => '192.0.2.2', name => 'iqn.2026-01.test:disk', lun => 16, 'chap-user' => 'alice', 'reverse-user' => 'bob');
my %guest = (link => 'web01', target => 'disk', initiator => 'iqn.2026-01.test:shop', kernel => '/srv/k', initrd => '/srv/i', boot => 'kernel',
	'install-kernel' => '/srv/ik', 'install-initrd' => '/srv/ii', 'install-seed' => 'preseed', 'rescue-kernel' => '/srv/rk',
	'rescue-initrd' => '/srv/ri', address => '192.0.2.10/24', hostname => 'shop.example');

# An INI file has no escapes: quotes are of the kind that the value has not.
sub quoted {
	my ($value) = @_;
	return $value !~ /"/ ? "\"$value\"" : $value !~ /'/ ? "'$value'" : $value;
}

sub put_file {
	my ($path, $text) = @_;
	open my $file, '>:raw', $path or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
}

sub get_file {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	local $/;
	my $text = <$file>;
	return $text // '';
}

sub write_config {
	my ($way, $text) = @_;
	my %t = %target;
	my %g = (%guest, boot => $way);
	my %secrets = (forward => 'secret-pass-12', reverse => 'other-pass-123');
	my ($target_name, $guest_name) = ('disk', 'shop');

	delete @g{'kernel', 'initrd'} if $way ne 'kernel' && $key !~ /^(kernel|initrd)$/;
	if ($key eq 'section') {
		$section eq 'target' ? ($target_name = $g{target} = $text) : ($guest_name = $text);
	} elsif ($key eq 'chap-secret') {
		$secrets{forward} = $text;
	} elsif ($key eq 'reverse-secret') {
		$secrets{reverse} = $text;
	} elsif ($section eq 'target') {
		$t{$key} = $text;
	} else {
		$g{$key} = $text;
	}
	put_file($_, $secrets{$_}) for keys %secrets;
	chmod 0600, keys %secrets;
	$t{'chap-secret-file'} //= "$here/forward";
	$t{'reverse-secret-file'} //= "$here/reverse";
	my $ini = "[agent]\nrun-dir = $here/run\n[set web]\nlower = eno1\ncount = 1\nname = web%02d\n[link web01]\nset = web\n"
		. "mac = 52:54:00:99:00:10\n[web]\nboot-listen = 192.0.2.1:8080\n[target $target_name]\n"
		. join('', map { "$_ = " . quoted($t{$_}) . "\n" } sort keys %t)
		. "[guest $guest_name]\n" . join('', map { "$_ = " . quoted($g{$_}) . "\n" } sort keys %g);
	put_file('t.ini', $ini);
	return $guest_name;
}

# ---- what others read --------------------------------------------------------------------------

# The words that a program printed, each ended by NUL.
sub words_of {
	my ($what, @command) = @_;
	open my $pipe, '-|', @command or die "$what: $!\n";
	local $/;
	my $out = <$pipe> // '';
	close $pipe or die "$what: the reader fails\n";
	return [split /\0/, $out, -1];
}

# Names that a sourced file gives values to, and what they are.
sub variables {
	my ($shell, $path) = @_;
	my @names = sort { $a cmp $b } do { my %n = map { $_ => 1 } get_file($path) =~ /^([A-Za-z_]+)\+?=/mg; keys %n };
	return words_of($path, $shell, '-euc', ". \"\$0\"; for n in @names; do eval \"v=\\\$\$n\"; printf '%s\\0' \"\$n\" \"\$v\"; done", "./$path");
}

# A script of commands that a shell reads, each printing its words instead.
sub commands {
	my ($path, @names) = @_;
	my $stubs = join '', map { "$_() { printf '%s\\0' $_ \"\$@\" '#'; }\n" } @names;
	return words_of($path, 'sh', '-euc', "$stubs . \"\$0\"", "./$path");
}

sub stub_dir {
	make_path('stubs');
	for my $name ('tapwarden', 'tgtadm', 'modprobe') {
		put_file("stubs/$name", "#!/bin/sh\n[ $name = modprobe ] || printf '%s\\0' $name \"\$@\" '#'\n");
		chmod 0755, "stubs/$name";
	}
	$ENV{PATH} = "$here/stubs:$ENV{PATH}";
}

# LIO's script against a folder: what it made there, and wrote.
sub configfs {
	my ($path, $target, $initiator) = @_;
	my %made;
	remove_tree('configfs');
	make_path("configfs/target/iscsi/$target/tpgt_1/attrib", "configfs/target/iscsi/$target/tpgt_1/acls/$initiator/auth");
	put_file('lio.sh', get_file($path) =~ s{/sys/kernel/config}{$here/configfs}r);
	system('sh', 'lio.sh', '/dev/null') == 0 or die "$path fails\n";
	find({ no_chdir => 1, wanted => sub {
		$made{$_} = -l $_ ? readlink($_) : -f $_ ? get_file($_) : '';
	} }, 'configfs');
	return [map { $_, $made{$_} } sort keys %made];
}

sub ran {
	my ($what, @command) = @_;
	system("@command >reader.out 2>&1") == 0 or die "$what: " . get_file('reader.out') . "\n";
}

# With a database of its own: of the host's there is one user at a time.
sub checked_by_debconf {
	my ($what) = @_;
	put_file('debconf.conf', join('', "Config: config\nTemplates: templates\n",
		map { "\nName: $_\nDriver: File\nFilename: debconf.$_\n" } qw(config templates)));
	ran($what, 'DEBCONF_SYSTEMRC=debconf.conf debconf-set-selections -c', $what);
}

# By the end of a path: what its reader makes of it, as words.
my @readers = (
	[qr{/vars\.sh$} => sub { variables('sh', $_[0]) }],
	[qr{/iscsi\.initramfs$} => sub { variables('sh', $_[0]) }],
	[qr{dracut\.conf\.d/} => sub { variables('bash', $_[0]) }],
	# grub-mkconfig writes the value into a script of GRUB, whose words are those of a shell.
	[qr{default/grub\.d/} => sub {
		words_of($_[0], 'sh', '-euc', '. "$0"; eval "set -- $GRUB_CMDLINE_LINUX"; printf "%s\0" "$@"', "./$_[0]")
	}],
	[qr{initramfs-tools/conf\.d/} => sub { variables('sh', $_[0]) }],
	[qr{/grub\.cfg-} => sub { ran($_[0], 'grub-script-check', $_[0]); commands($_[0], qw(insmod linux initrd boot)) }],
	[qr{/ks\.cfg$} => sub {
		put_file('ks.sh', get_file($_[0]) =~ s/^%post.*//msr);
		commands('ks.sh', qw(network rootpw iscsiname iscsi));
	}],
	[qr{/tgt\.sh$} => sub { words_of($_[0], 'sh', $_[0], '/dev/null') }],
	[qr{/lio\.sh$} => sub { configfs(@_) }],
	[qr{/qemu\.sh$} => sub { words_of($_[0], 'sh', $_[0]) }],
	[qr{\.sh$|postinst\.d/} => sub { ran($_[0], 'sh -n', $_[0]); [split /\n/, get_file($_[0]), -1] }],
	[qr{netplan/|seed/.*(user|meta)-data$|network-config$} => sub {
		[JSON::PP->new->canonical->encode(YAML::XS::LoadFile($_[0])) =~ /("(?:\\.|[^"\\])*"|[^"]+)/g]
	}],
	[qr{\.json$} => sub {
		words_of($_[0], 'jq', '-j', '[paths(scalars) as $p | ($p | map(tostring) | join("/")), getpath($p)] | map(tostring + "\u0000") | add', $_[0])
	}],
	[qr{\.xml$} => sub { ran($_[0], 'xmllint --c14n', $_[0]); [get_file('reader.out')] }],
	[qr{/fstab$} => sub {
		system("findmnt --verify --tab-file $_[0] >reader.out 2>&1");
		get_file('reader.out') =~ /\b0 parse errors/ or die "$_[0]: findmnt does not read it\n";
		[split /\n/, get_file($_[0]), -1];
	}],
	[qr{/dnsmasq\.conf$} => sub { ran($_[0], 'dnsmasq --test -C', $_[0]); [split /\n/, get_file($_[0]), -1] }],
	[qr{/preseed\.cfg$} => sub { checked_by_debconf($_[0]); [split /\n/, get_file($_[0]), -1] }],
	[qr{\.iso$|CHECKLIST|boot\.ipxe$} => sub { [] }],
	# Of what has no reader here a line is a value; none has more lines for it.
	[qr{} => sub { [split /\n/, get_file($_[0]), -1] }],
);

# Names of what was chosen from names, which other names change.
sub without_ids {
	return map { s/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/UUID/gr =~ s/\b[0-9A-F]{4}-[0-9A-F]{4}\b/ESP/gr } @_;
}

# The same bytes are read once.
my %known;

sub read_file {
	my ($path, @names) = @_;
	my $id = "$path\n@names\n" . get_file($path);
	return $known{$id} //= do {
		my ($reader) = grep { $path =~ $_->[0] } @readers;
		[without_ids(@{ $reader->[1]->($path, @names) })];
	};
}

# Every file of the kit, as words; and what was left out.
sub kit_of {
	my ($guest, $target, $initiator) = @_;
	my %read;
	remove_tree('kit');
	my $pid = open my $pipe, '-|';
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec $tapwarden, 'boot', 'kit', '-o', 'kit', '-c', 't.ini', '--', $guest;
	}
	local $/;
	my $said = <$pipe> // '';
	close $pipe;
	return ($? >> 8, $said) if $?;
	find({ no_chdir => 1, wanted => sub {
		$read{$_} = read_file($_, /lio\.sh$/ ? ($target, $initiator) : ()) if -f $_;
	} }, 'kit');
	return (0, $said, \%read);
}

# ---- the judgement -------------------------------------------------------------------------------

my ($taken, $refused) = (0, 0);

sub fail {
	my ($value, $why) = @_;
	die "$field = " . ($value =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger) . ": $why\n";
}

# Values are seen as they are, in YAML and JSON as those write them, and in hexadecimal digits.
sub put_value {
	my ($text, $value) = @_;
	my $hex = unpack 'H*', $value;
	my $json = JSON::PP->new->allow_nonref->latin1->encode($value) =~ s/^"|"$//gr;
	return $text =~ s/^(".*)$plain/$1$json/sr if $text =~ /^".*"$/s && $text =~ /$plain/;
	return $text =~ s/$plain/$value/gr =~ s/717a71|7a717a/$hex/gr;
}

sub compare {
	my ($value, $template, $want, $got, $said) = @_;
	$want or fail($value, "taken as \"$template\", which takes no plain word");
	for my $path (sort keys %$want) {
		my $short = $path =~ s{^kit/}{}r;
		if (!$got->{$path}) {
			$said =~ /left out \Q$short\E: / or fail($value, "$path is not there, and nobody says why");
			next;
		}
		my @expected = map { put_value($_, $value) } @{ $want->{$path} };
		# Several words of a command line are that many.
		my $by = $key =~ /cmdline$/ ? ' ' : "\0";
		my ($a, $b) = (join($by, @expected), join($by, @{ $got->{$path} }));
		fail($value, "$path as \"$template\":\n" . show($a) . "\nis\n" . show($b)) if $a ne $b;
	}
	for my $path (keys %$got) {
		fail($value, "$path is there, and not for a plain word") unless $want->{$path};
	}
}

sub show {
	return $_[0] =~ s/\0/ | /gr =~ s/([^ -~\n])/sprintf '\\x%02x', ord $1/ger;
}

# Commands of the scripts, for a real iPXE.
sub keep_lines {
	my ($guest) = @_;
	open my $pipe, '-|', $tapwarden, qw(boot render -c t.ini --state), $key =~ /^(install|rescue)-/ ? $1 : 'run', '--', $guest or die "$!\n";
	local $/;
	my $script = <$pipe> // '';
	close $pipe or fail($guest, 'its kit is made, and not its script');
	open my $file, '>>', $lines or die "$lines: $!\n";
	print $file "$_\n" for grep { !/^[#:]|^$/ } split /\n/, $script;
}

# The reason names the field, and no byte of the value moves a cursor.
sub judge_refusal {
	my ($value, $said) = @_;
	my $name = { section => $section, 'chap-secret' => 'chap-secret', 'reverse-secret' => 'reverse-secret' }->{$key} // $key;
	$said =~ /\Q$name\E|CHAP (user|secret)|guest|target|(this|section|name)/ or fail($value, "refused without a reason: $said");
	$said =~ /^tapwarden: |^t\.ini:\d+: /m or fail($value, "refused in other words: $said");
	my $text = $said;
	utf8::decode($text) && $text !~ /[^\n[:^cntrl:]]/ or fail($value, 'the refusal has bytes that move a cursor: ' . show($said));
}

sub try_value {
	my ($way, $template, $value, $want) = @_;
	my $text = $template =~ s/V/$value/r;
	my $guest = write_config($way, $text);
	my $target = $field eq 'target/name' ? lc $text : $target{name};
	my $initiator = $field eq 'guest/initiator' ? lc $text : $guest{initiator};
	my ($code, $said, $got) = kit_of($guest, $target, $initiator);

	if ($code) {
		fail($value, "exit code $code") if $code != 2;
		judge_refusal($value, $said);
		$refused++;
		return;
	}
	compare($value, $template, $want, $got, $said);
	keep_lines($guest);
	$taken++;
}

stub_dir();
# What is on the kernel's line is in GRUB's configuration, too.
for my $way ('kernel', $key =~ /^(cmdline|hostname|name|initiator|section)$/ ? 'san' : ()) {
	for my $template (@{ $fields{$field} }) {
		my $guest = write_config($way, $template =~ s/V/$plain/r);
		my $target = $field eq 'target/name' ? $template =~ s/V/$plain/r : $target{name};
		my $initiator = $field eq 'guest/initiator' ? $template =~ s/V/$plain/r : $guest{initiator};
		my ($code, $said, $want) = kit_of($guest, $target, $initiator);
		# Where not even a plain word fits, every value must be refused.
		$want = undef if $code;
		try_value($way, $template, $_, $want) for @values;
	}
}
print "$field: $taken taken, $refused refused\n";
