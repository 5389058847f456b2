#!/bin/sh
# Reviews the work in a worktree of its own, at exactly the commit that it approves or rejects: the last line is its verdict.
if grep -q '^[<=>]\{7\}' AUTHORS; then
  echo '{"verdict":"reject","comment":"AUTHORS has the marks of a conflict."}'
else
  echo '{"verdict":"approve","comment":"AUTHORS is in order."}'
fi
