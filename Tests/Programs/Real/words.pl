# Counts, sorts, joins and rewrites generated words: scalars of all sizes, hashes that grow and shrink, closures, regular
# expressions, and a second interpreter in a forked child that allocates as much.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);

my $count = shift // die "usage: words.pl COUNT\n";
my $state = 12345;
sub random { $state = ($state * 1103515245 + 12345) % 2147483648; return $state % $_[0] }
sub word { return join '', map { chr(97 + random(26)) } 1 .. 1 + random(9) }

sub frequencies {
    my ($total) = @_;
    my %seen;
    for my $i (1 .. $total) {
        my $word = word();
        push @{ $seen{ substr $word, 0, 2 }{$word} }, $i;
        delete $seen{ substr $word, 0, 2 } if $i % 997 == 0;
    }
    return \%seen;
}

sub summary {
    my ($seen) = @_;
    my @lines;
    for my $prefix (sort keys %$seen) {
        my $group = $seen->{$prefix};
        my @top = (sort { @{ $group->{$b} } <=> @{ $group->{$a} } || $a cmp $b } keys %$group)[0 .. 4];
        push @lines, join ' ', $prefix, scalar(keys %$group), grep { defined } @top;
    }
    return join "\n", @lines;
}

my $text = summary(frequencies($count));
print sha256_hex($text), "\n";
(my $capitals = $text x 20) =~ s/(\w)(\w+)/uc($1) . reverse($2) . length($2)/ge;
print sha256_hex($capitals), ' ', length($capitals), "\n";
my @closures = map { my $n = $_; my @own = (1 .. $n % 50); sub { $n + @own } } 1 .. $count;
my $sum = 0;
$sum += $_->() for @closures;
print "$sum\n";

$| = 1;
my $child = fork // die "fork: $!";
if ($child == 0) {
    print sha256_hex(summary(frequencies($count))), "\n";
    exit 0;
}
waitpid $child, 0;
die "the child ended with $?\n" if $? != 0;
