#!/bin/sh
# Starts one command and records how it ends, so that this is known even if the process that started it is gone.
# usage: launcher.sh DIRECTORY STDIN_FILE INPUT SURPLUS_VARIABLES NUMBER COMMAND [ARGUMENT...]
#
# INPUT is "ends" if standard input is STDIN_FILE, or "stays" if more may follow. Then standard input is a FIFO, which gets
# STDIN_FILE first. The launcher holds it open, so that the command sees no end of it when a writer dies.
#
# Runs as leader of its own session, in the command's working directory and environment. Writes into DIRECTORY:
#   launcher      one line that identifies this process. If the file exists already, the command is not started.
#   agent         one line that identifies the command, written before the command is executed
#   in            the FIFO, if the input stays open
#   fed           exists once STDIN_FILE is in the FIFO
#   exec-failed   exists if the system could not execute the command
#   exit          status, CPU times, and "end" as its last line: without that line the record is incomplete
# Its last line on standard output is "ended NUMBER".
# It ignores the signals that are meant for the command, so that it can record how the command ended.
#
# A builtin costs nothing, a program half a millisecond: hence no mktemp, mv or date. The braces make the shell read the
# whole file before it starts, so that an update of the file does not affect a launcher that is waiting.
{
trap : HUP INT PIPE QUIT TERM USR1 USR2
_signalbox_directory=$1
_signalbox_stdin=$2
_signalbox_input=$3
_signalbox_surplus=$4
_signalbox_number=$5
shift 5

_signalbox_identify() {
  if [ -r /proc/self/stat ]; then
    read -r _signalbox_line </proc/self/stat && echo "$_signalbox_line"
  else
    LC_ALL=C /bin/ps -o pid=,lstart= -p "$(exec /bin/sh -c 'echo $PPID')"
  fi
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

# The status is 143 both after "ended by signal 15" and after "exited with 143". But the shell prints a message about a
# signal on standard error, so a launcher.err that is not empty means a signal.
(
  trap 'echo failed >"$_signalbox_directory/exec-failed"' EXIT
  exec 2>>"$_signalbox_directory/stderr.log"
  _signalbox_identify >"$_signalbox_directory/agent" || exit 97
  unset $_signalbox_surplus
  exec "$@" <"$_signalbox_stdin" 3<&- >>"$_signalbox_directory/stdout.log"
)
_signalbox_status=$?
{
  echo "status $_signalbox_status"
  [ -s "$_signalbox_directory/launcher.err" ] && echo signalled
  times
  echo end
} >"$_signalbox_directory/exit"
exit
}
