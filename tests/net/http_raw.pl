#!/usr/bin/perl
# What no HTTP client would send, to a running server.
#
#   http_raw.pl say ADDRESS            sends what is on stdin, prints all that comes until the end
#   http_raw.pl statuses ADDRESS       the same, but prints the status of each answer alone, in one line
#   http_raw.pl hold N ADDRESS…        opens N connections to each, says "held" and keeps them until killed
#   http_raw.pl trickle ADDRESS BYTES  sends BYTES, then one more byte after another until it is cut off
#
# ADDRESS is unix:PATH, or HOST:PORT with the source address after an @ when it matters. An answer
# that does not end within 60 s is told by "hangs".
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(MSG_NOSIGNAL);

$SIG{PIPE} = 'IGNORE';

sub connect_to {
	my ($address, $source) = split /@/, $_[0];
	return IO::Socket::UNIX->new(Peer => $1) if $address =~ /^unix:(.*)/;
	return IO::Socket::INET->new(PeerAddr => $address, $source ? (LocalAddr => $source) : ());
}

# All that comes until the other side ends.
sub rest_of {
	my ($socket) = @_;
	my ($select, $all, $until) = (IO::Select->new($socket), '', time + 60);
	while (time < $until) {
		next unless $select->can_read(1);
		my $n = sysread $socket, my $part, 65536;
		return $all unless $n;
		$all .= $part;
	}
	return $all . 'hangs';
}

sub say_to {
	my $socket = connect_to($_[0]) or die "$_[0]: $!\n";
	local $/;
	my $bytes = <STDIN>;
	while (length $bytes) {
		my $n = send $socket, $bytes, MSG_NOSIGNAL;
		last unless $n;
		substr $bytes, 0, $n, '';
	}
	return rest_of($socket);
}

my ($verb, @words) = @ARGV;
if ($verb eq 'say') {
	print say_to(@words);
} elsif ($verb eq 'statuses') {
	my $all = say_to(@words);
	# libmicrohttpd 0.9.75 sends the head of its own error pages twice.
	$all =~ s{(HTTP/1\.1 .*?\r\n\r\n)\1}{$1}gs;
	print join(' ', $all =~ m{HTTP/1\.[01] (\d{3}) }g, $all =~ /hangs$/ ? 'hangs' : ()), "\n";
} elsif ($verb eq 'hold') {
	my $n = shift @words;
	my @held = map { my $a = $_; map { connect_to($a) // () } 1 .. $n } @words;
	$| = 1;
	print 'held ', scalar @held, "\n";
	sleep 3600;
} elsif ($verb eq 'trickle') {
	my $socket = connect_to($words[0]) or die "$words[0]: $!\n";
	my $select = IO::Select->new($socket);
	my $bytes = $words[1] =~ s/\\r\\n/\r\n/gr;
	my $all = '';
	for (my $until = time + 120; time < $until; $bytes = 'x') {
		last unless defined send $socket, $bytes, MSG_NOSIGNAL;
		next unless $select->can_read(0.2);
		last unless sysread $socket, $all, 65536, length $all;
	}
	print time < $^T + 120 ? 'cut' : 'not cut', ' ', $all =~ m{^HTTP/1\.[01] (\d{3}) } ? $1 : '-', "\n";
}
