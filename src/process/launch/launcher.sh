#!/bin/sh
# Starts one command and records how it ends, so that this is known even if the process that started it is gone.
# usage: launcher.sh DIRECTORY STDIN_FILE INPUT SURPLUS_VARIABLES NUMBER MAX_OUTPUT_BYTES CONTAINMENT PERL CGROUPS COMMAND [ARGUMENT...]
#
# INPUT is "ends" if standard input is STDIN_FILE, or "stays" if more may follow. Then standard input is a FIFO, which gets
# STDIN_FILE first. The launcher holds it open, so that the command sees no end of it when a writer dies.
#
# PERL is a path if this process is the parent of all orphans of the command (container.ts), or empty. Then it waits for them
# before it ends, so that they have no other parent; and what it notes at last is true. The command enters CGROUPS, one a line.
#
# Runs as leader of its own session, in the command's working directory and environment. Writes into DIRECTORY:
#   launcher      one line that identifies this process. If the file exists already, the command is not started.
#   agent         one line that identifies the command, written before the command is executed
#   in            the FIFO, if the input stays open
#   fed           exists once STDIN_FILE is in the FIFO
#   exec-failed   exists if the system could not execute the command
#   exit          status, CPU times, and "end" as its last line: without that line the record is incomplete
#   none-left     written at last, if this process is the parent of all orphans: no process of the command is left
#   stdout.log, stderr.log   what the command prints (below), and the FIFOs stdout and stderr that it prints into
# Prints "ended NUMBER" when the record is written, and ends when the output is written, too.
# It ignores the signals that are meant for the command, so that it can record how the command ended.
#
# The command can replace every file in DIRECTORY. This process therefore opens the FIFOs and output files before the
# command runs, and puts the record in the place of whatever is there.
#
# A builtin costs nothing, a program half a millisecond: hence no mktemp or date. The braces make the shell read the
# whole file before it starts, so that an update of the file does not affect a launcher that is waiting.
{
trap : HUP INT PIPE QUIT TERM USR1 USR2
_signalbox_directory=$1
_signalbox_stdin=$2
_signalbox_input=$3
_signalbox_surplus=$4
_signalbox_number=$5
_signalbox_max=$6
_signalbox_containment=$7
_signalbox_perl=$8
_signalbox_cgroups=$9
shift 9

_signalbox_identify() {
  if [ -r /proc/self/stat ]; then
    read -r _signalbox_line </proc/self/stat && echo "$_signalbox_line"
  else
    LC_ALL=C /bin/ps -o pid=,lstart= -p "$(exec /bin/sh -c 'echo $PPID')"
  fi
}

# Copies the FIFO $1, which is open as $2, to the file $1.log. A full file becomes $1.log.1, and the one before that is deleted: so both together
# never exceed twice the maximum, however fast the command prints. The first bytes stay in $1.log.head, and $1.log.rotated
# counts what was moved out of $1.log. dd reads no more than it is told to, so nothing is lost in between.
_signalbox_keep() {
  trap '' HUP INT PIPE QUIT TERM USR1 USR2
  # Its own ends of the FIFOs must not keep them open. Not as redirections of the call: a shell would save the others.
  exec <&"$2" >/dev/null 2>&1 3>>"$1.log" 6<&- 7<&- 8<&- 9<&-
  set -- "$1.log"
  LC_ALL=C
  export LC_ALL
  _signalbox_head=$((_signalbox_max / 4))
  [ $_signalbox_head -le 65536 ] || _signalbox_head=65536
  _signalbox_cap=$((_signalbox_max - _signalbox_head / 2))
  _signalbox_block=$((_signalbox_cap / 64))
  [ $_signalbox_block -le 4096 ] || _signalbox_block=4096
  [ $_signalbox_block -ge 1 ] || _signalbox_block=1
  _signalbox_size=0
  _signalbox_moved=0
  while :; do
    _signalbox_count=$(((_signalbox_cap - _signalbox_size) / _signalbox_block))
    # The last few blocks are not worth a program each.
    if [ $_signalbox_count -lt 8 ] && [ $_signalbox_size -gt 0 ]; then
      [ $_signalbox_moved -gt 0 ] || command -p dd bs=$_signalbox_head count=1 <"$1" >"$1.head"
      _signalbox_moved=$((_signalbox_moved + _signalbox_size))
      exec 3>&-
      command -p mv -f "$1" "$1.1" || command -p rm -rf "$1"
      echo $_signalbox_moved >"$1.rotated"
      exec 3>>"$1"
      _signalbox_size=0
      continue
    fi
    # "3+1 records in", "3+1 records out", "12345 bytes …", and before these perhaps a warning or an error.
    _signalbox_report=$(command -p dd bs=$_signalbox_block count=$_signalbox_count 2>&1 >&3)
    _signalbox_read=${_signalbox_report%% records in*}
    case ${_signalbox_read##*[!0-9+]} in
      0+0) break ;;
      *+*) _signalbox_size=$((_signalbox_size + $(_signalbox_bytes "$_signalbox_report"))) ;;
      *) ;;
    esac
    # The disk is full: what is printed meanwhile is dropped, so that the command can go on.
    case $_signalbox_report in
      *error*) command -p dd bs=65536 count=64 >/dev/null ;;
    esac
  done
}

_signalbox_bytes() {
  _signalbox_rest=${1##*records out}
  _signalbox_rest=${_signalbox_rest#?}
  echo "${_signalbox_rest%% *}"
}

exec 2>>"$_signalbox_directory/launcher.err"
trap 'echo "ended $_signalbox_number"' EXIT
set -C
_signalbox_identify >"$_signalbox_directory/launcher" || exit 97
set +C

# The feeder opens the FIFO for writing only, so that it ends with its last reader. "command -p" because PATH is the command's.
if [ "$_signalbox_input" = stays ]; then
  command -p mkfifo -m 600 "$_signalbox_directory/in" || exit 97
  exec 3<>"$_signalbox_directory/in"
  {
    command -p cat "$_signalbox_stdin" >"$_signalbox_directory/in"
    echo fed >"$_signalbox_directory/fed"
  } 3<&- >/dev/null 2>&1 &
  _signalbox_stdin=$_signalbox_directory/in
fi

command -p mkfifo -m 600 "$_signalbox_directory/stdout" "$_signalbox_directory/stderr" || exit 97
# Open for reading and writing, a FIFO waits for no other end. The ends of the copiers are opened here, because a command
# that ends at once would leave a copier waiting in its open.
exec 6<>"$_signalbox_directory/stdout" 7<>"$_signalbox_directory/stderr"
exec 8<"$_signalbox_directory/stdout" 9<"$_signalbox_directory/stderr"
_signalbox_keep "$_signalbox_directory/stdout" 8 &
_signalbox_keepers=$!
_signalbox_keep "$_signalbox_directory/stderr" 9 &
_signalbox_keepers="$_signalbox_keepers $!"
exec 8<&- 9<&-

# The status is 143 both after "ended by signal 15" and after "exited with 143". But the shell prints a message about a
# signal on standard error, so a launcher.err that is not empty means a signal.
(
  trap 'echo failed >"$_signalbox_directory/exec-failed"' EXIT
  IFS='
'
  for _signalbox_cgroup in $_signalbox_cgroups; do
    echo 0 >"$_signalbox_cgroup/cgroup.procs" || exit 97
  done
  unset IFS
  exec 2>"$_signalbox_directory/stderr"
  exec 6<&- 7<&-
  _signalbox_identify >"$_signalbox_directory/agent" || exit 97
  # In a PID namespace the command gets them back from perl (namespace.pl).
  [ "$_signalbox_containment" = pid_namespace ] || for _signalbox_name in PERL5OPT PERL5DB PERL5LIB PERLLIB; do
    eval "[ -z \"\${_signalbox_kept_$_signalbox_name+set}\" ] || {
      export $_signalbox_name=\"\$_signalbox_kept_$_signalbox_name\"
      unset _signalbox_kept_$_signalbox_name
    }"
  done
  unset $_signalbox_surplus
  exec "$@" <"$_signalbox_stdin" 3<&- >"$_signalbox_directory/stdout"
)
_signalbox_status=$?
exec 6<&- 7<&-
if [ -e "$_signalbox_directory/exit" ] || [ -L "$_signalbox_directory/exit" ]; then
  command -p rm -rf "$_signalbox_directory/exit"
fi
{
  echo "status $_signalbox_status"
  [ -s "$_signalbox_directory/launcher.err" ] && echo signalled
  times
  echo end
} >"$_signalbox_directory/exit"
trap - EXIT
echo "ended $_signalbox_number"
for _signalbox_keeper in $_signalbox_keepers; do
  while kill -0 "$_signalbox_keeper" 2>/dev/null; do wait "$_signalbox_keeper"; done
done
[ -n "$_signalbox_perl" ] || exit 0
# A shell waits for its own jobs only.
trap '' HUP INT PIPE QUIT TERM USR1 USR2
exec "$_signalbox_perl" -e '1 while wait != -1; my $file = "$ARGV[1]/none-left"; unlink $file;
  sysopen(OUT, $file, 0301, 0600) and syswrite(OUT, "none left\n")' "$0" "$_signalbox_directory" end
}
