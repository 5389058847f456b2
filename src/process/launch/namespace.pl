#!/usr/bin/perl
# Runs one command in a PID namespace of its own, and ends as the command ends.
# usage: perl namespace.pl PRCTL,UNSHARE,MOUNT OWNER DIRECTORY COMMAND [ARGUMENT...]
#
# The numbers are those of the system calls. OWNER is "root", or "user": then together with a user namespace in which only the own
# user and group exist, since the kernel refuses the other namespaces to ordinary users.
#
# Three processes: this one stays outside and waits. The first one of the namespace waits for orphans; when it ends, the kernel kills
# whatever is in the namespace. Its child becomes the command. If this process is killed, the first one is killed, too. When the
# command ends, this process ends the namespace, and then itself: so once it is gone, nothing of the namespace is left.
#
# What it does not need it does not load: the start of each agent waits for it.

my ($numbers, $owner, $directory, @command) = @ARGV;
my ($prctl, $unshare, $mount) = split /,/, $numbers;
my ($user, $group) = ($> + 0, $) + 0);
# perl changes the arguments of a system call, so none may be a constant.
my ($none, $top, $type, $place) = ('none', '/', 'proc', '/proc');

# As the launcher: a signal to the group is meant for the command.
my @handled = grep { ($SIG{$_} // '') ne 'IGNORE' } qw(HUP INT PIPE QUIT TERM USR1 USR2);
$SIG{$_} = 'IGNORE' for @handled;

sub refuse {
  print STDERR "$_[0]: $!\n";
  open FILE, '>', "$directory/exec-failed" and print FILE "failed\n" and close FILE;
  exit 125;
}

sub let_go {
  open STDIN, '<', '/dev/null';
  open STDOUT, '>', '/dev/null';
  open STDERR, '>', '/dev/null';
}

sub note {
  my ($file, $text) = @_;
  open FILE, '>', "/proc/self/$file" and syswrite FILE, $text and close FILE or refuse("/proc/self/$file");
}

# CLONE_NEWPID and CLONE_NEWNS; CLONE_NEWUSER
syscall($unshare, 0x20020000 | ($owner eq 'user' ? 0x10000000 : 0)) == 0 or refuse('unshare');
if ($owner eq 'user') {
  note('setgroups', 'deny');
  note('uid_map', "$user $user 1");
  note('gid_map', "$group $group 1");
}
# MS_REC and MS_SLAVE: what is mounted outside appears here, but not the other way round.
syscall($mount, $none, $top, 0, 0x84000, 0) == 0 or refuse('mount /');
pipe FROM, TO and pipe READY, GO or refuse('pipe');
defined(my $first = fork) or refuse('fork');

unless ($first) {
  close FROM;
  close GO;
  # PR_SET_PDEATHSIG: with the process outside this one is killed. It may be gone already.
  syscall($prctl, 1, 9, 0, 0, 0);
  sysread READY, my $word, 1 or exit 125;
  syswrite TO, "ready\n" or exit 125;
  close READY;
  # MS_NOSUID, MS_NODEV and MS_NOEXEC
  syscall($mount, $type, $place, $type, 14, 0) == 0 or refuse('mount /proc');
  defined(my $child = fork) or refuse('fork');
  unless ($child) {
    close TO;
    $SIG{$_} = 'DEFAULT' for @handled;
    for my $name (qw(PERL5OPT PERL5DB PERL5LIB PERLLIB)) {
      my $kept = "_signalbox_kept_$name";
      $ENV{$name} = delete $ENV{$kept} if exists $ENV{$kept};
    }
    exec { $command[0] } @command;
    # ENOEXEC: a script without a first line that names its interpreter.
    exec '/bin/sh', @command if $! == 8;
    refuse($command[0]);
  }
  $0 = 'signalbox: first process of the namespace';
  let_go();
  while ((my $ended = wait) != -1) {
    next unless $ended == $child;
    syswrite TO, "$?\n";
    last;
  }
  sleep 60 while 1;
}

close TO;
close READY;
$0 = 'signalbox: outside of the namespace';
let_go();
# PR_SET_DUMPABLE: with a user namespace the kernel has hidden /proc/PID of this process from its own user.
syscall($prctl, 4, 1, 0, 0, 0);
syswrite GO, 'g';
close GO;
my $heard = '';
1 while $heard !~ /^ready\n\d+\n/ and sysread FROM, $heard, 64, length $heard;
my ($recorded) = $heard =~ /^ready\n(\d+)\n/;
kill 'KILL', $first if defined $recorded;
waitpid $first, 0;
my $status = $recorded // $?;
if (my $signal = $status & 127) {
  # No core dump of perl.
  syscall($prctl, 4, 0, 0, 0, 0);
  $SIG{$_} = 'DEFAULT' for @handled;
  kill $signal, $$;
  sleep 1;
}
exit $status >> 8;
