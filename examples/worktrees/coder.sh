#!/bin/sh
# Adds the name of this agent to AUTHORS, in the worktree of its task. In the next attempt after a conflict it merges what
# others have done meanwhile, and keeps both.
set -e
git merge --quiet "$SIGNALBOX_TARGET" >/dev/null 2>&1 || true
# Without the marks of a conflict.
sed -i.bak -e '/^[<=>]\{7\}/d' AUTHORS
rm -f AUTHORS.bak
grep -qx "$SIGNALBOX_AGENT_ID" AUTHORS || echo "$SIGNALBOX_AGENT_ID" >>AUTHORS
git add AUTHORS
git commit --quiet --message "Add $SIGNALBOX_AGENT_ID"
echo "added $SIGNALBOX_AGENT_ID"
