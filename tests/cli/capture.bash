# Captures for tests, made by text2pcap(1) out of a table of frames.

# capture FILE [OPTION...] <TABLE: a capture of one frame a line, a millisecond apart, as text2pcap's
# options say (-n: pcapng). A line is
#
#   tcp|udp SOURCE:PORT > TARGET:PORT [SEQ FLAGS] TEXT
#
# where TEXT is as in a perl string and FLAGS are letters of SFRPA; "raw HEX" is a frame as it is.
capture() {
  local file=$1
  shift
  perl -e '
    use strict; use warnings; use Socket;
    my $ms = 0;
    sub sum { my $s = 0; $s += $_ for unpack "n*", $_[0] . "\0" x (length($_[0]) % 2);
      $s = ($s & 0xffff) + ($s >> 16) while $s >> 16; ~$s & 0xffff }
    sub ip { my ($proto, $from, $to, $data) = @_;
      my $pseudo = inet_aton($from) . inet_aton($to) . pack("nn", $proto, length $data);
      substr($data, $proto == 6 ? 16 : 6, 2) = pack "n", sum($pseudo . $data);
      my $head = pack "CCnnnCCna4a4", 0x45, 0, 20 + length $data, 1, 0, 64, $proto, 0,
        inet_aton($from), inet_aton($to);
      substr($head, 10, 2) = pack "n", sum($head);
      "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" . $head . $data }
    while (<STDIN>) {
      chomp; next unless /\S/;
      my $bytes;
      if (/^\s*raw ([\w ]+)/) { $bytes = pack "H*", $1 =~ s/ //gr }
      else {
        /^\s*(tcp|udp) (\S+):(\d+) > (\S+):(\d+) (?:(?<=\d )(\d+) ([SFRPA]+)(?: |$))?(.*)/ or die "what is \"$_\"?\n";
        my ($proto, $from, $sport, $to, $dport, $seq, $flags, $text) = ($1, $2, $3, $4, $5, $6, $7, $8);
        my $data = eval "qq\0$text\0";
        my %bit = (F => 1, S => 2, R => 4, P => 8, A => 16); my $f = 0;
        $f |= $bit{$_} for split //, $flags // "";
        $bytes = $proto eq "udp"
          ? ip(17, $from, $to, pack("nnnn", $sport, $dport, 8 + length $data, 0) . $data)
          : ip(6, $from, $to, pack("nnNNCCnnn", $sport, $dport, $seq, $f & 16 ? 1 : 0, 0x50, $f, 65535, 0, 0) . $data);
      }
      my $at = 1700000000 + $ms++ / 1000;
      printf "%.3f\n", $at;
      for (my $i = 0; $i < length $bytes; $i += 16) {
        printf "%06x %s\n", $i, join " ", map { sprintf "%02x", ord } split //, substr $bytes, $i, 16 }
    }' | text2pcap -q -t %s.%f "$@" - "$file" 2>"$file.err" || { cat "$file.err" >&2; return 1; }
}
