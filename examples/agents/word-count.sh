#!/bin/sh
# A command that knows nothing of Signalbox: what it prints becomes the task's output, its exit code the outcome.
#
#     word-count.sh FILE...
set -eu

if [ $# -eq 0 ]; then
  echo "usage: word-count.sh FILE..." >&2
  exit 2
fi

for file in "$@"; do
  lines=$(wc -l < "$file")
  words=$(wc -w < "$file")
  echo "$file: $((lines)) lines, $((words)) words. The most frequent:"
  tr -cs '[:alpha:]' '\n' < "$file" | tr '[:upper:]' '[:lower:]' | awk 'length > 3' |
    sort | uniq -c | sort -k1,1nr -k2 | awk 'NR <= 5 { print "  " $2 ": " $1 }'
done
