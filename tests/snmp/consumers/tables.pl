# Reads tables of keepalived's MIB by name through net-snmp's Perl binding, as plugins of Nagios do, and prints each cell.
use strict;
use warnings;
use SNMP;

my ($community, @tables) = @ARGV;
my $session = SNMP::Session->new(
    DestHost       => '127.0.0.1',
    Community      => $community,
    Version        => '2c',
    RetryNoSuch    => 0,
    UseSprintValue => 1,
) or die "no session\n";
for my $table (@tables) {
    my $rows = $session->gettable("KEEPALIVED-MIB::$table");
    die "$table: nothing\n" unless $rows && %$rows;
    for my $index (sort keys %$rows) {
        # Of a column that an agent does not have, the binding shows what comes behind the table.
        my @columns = grep { /^vrrp/ } sort keys %{ $rows->{$index} };
        print "$_.$index = $rows->{$index}{$_}\n" for @columns;
    }
}
