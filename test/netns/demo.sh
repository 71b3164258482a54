#!/bin/bash
# demo.sh: the demonstration itself with the programs under test: the streams live, and it leaves nothing behind, neither at the
# end of a laboratory nor after the clean-up that it prints for one that is kept.
set -u
export CT_DAEMON=$CT_BIN/conntrackd # the demonstration builds nothing then
export DEMO_OF=$$
said=$(mktemp)
trap 'sh "$(clean_up)" 2>/dev/null; rm -f "$said"' EXIT

# The last word of the last hint.
clean_up() {
	sed -n 's/.* clear away  *sh //p' "$said"
}

# Processes, namespaces and folders of its laboratories.
left() {
	local p
	pgrep -af "ct-demo[01]-$demo[-.]"
	ip netns | grep "^ct-demo[01]-$demo-"
	ls -d /tmp/ct-demo[01]-"$demo".* 2>/dev/null
	for p in $(pgrep -f 'streams.py|keepalived'); do
		tr '\0' '\n' 2>/dev/null <"/proc/$p/environ" | grep -qx "DEMO_OF=$$" && echo "$p $(tr '\0' ' ' <"/proc/$p/cmdline")"
	done
}

fail() {
	echo "FAIL  $*"
	left
	cat "$said"
	exit 1
}

"$CT_SRC/demo" --flows 60 --keep >"$said" 2>&1 &
demo=$!
wait $demo || fail "status $?"
grep -q '^60 of 60 streams lost, as they must be$' "$said" && grep -q '^0 of 60 streams lost, longest gap' "$said" || fail "lost streams"
[ -s "$(clean_up)" ] || fail "no clean-up is printed"
left | grep -q 'ct-demo1' || fail "the second laboratory is not kept"
sh "$(clean_up)"
for _ in $(seq 100); do # what was killed needs a moment
	[ -n "$(left)" ] || break
	sleep 0.1
done
[ -z "$(left)" ] || fail "something is left"
echo "ok    demonstration"
