# SPDX-License-Identifier: Apache-2.0
# mail_dkim.pl RECORDS - verifies messages with Mail::DKIM; for dkim_oracles.py.
#
# RECORDS: a file of lines, a name, a blank, its TXT record. In: lines "BYTES", each followed by so many octets. Out,
# for each message: a line a signature, "ALGORITHM DOMAIN SELECTOR RESULT WHY", and an empty one.
use strict;
use warnings;

use Mail::DKIM::Verifier;
use Net::DNS;

my %records;
open my $file, '<', $ARGV[0] or die "$ARGV[0]: $!";
while (<$file>) {
    chomp;
    my ($name, $record) = split / /, $_, 2;
    $records{lc $name} = $record;
}

# No DNS is asked: this stands in its place.
{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub {
        my ($name, $type) = @_;
        my $record = $records{lc $name};
        return () unless defined $record;
        return Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [unpack '(a250)*', $record]);
    };
}

binmode STDIN;
$| = 1;
while (my $bytes = <STDIN>) {
    my $message = '';
    read(STDIN, $message, $bytes + 0) == $bytes + 0 or die 'standard input';
    my $dkim = Mail::DKIM::Verifier->new;
    $dkim->PRINT($message);
    $dkim->CLOSE;
    for my $s ($dkim->signatures) {
        my ($result, $why) = ($s->result, $s->result_detail);
        $why =~ s/\s+/ /g;
        print join(' ', $s->algorithm, $s->domain, $s->selector, $result, $why), "\n";
    }
    print "\n";
}
