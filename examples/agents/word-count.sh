#!/bin/sh
# A command without Signalbox calls: its standard output becomes the output of the task, its exit code the outcome.
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
