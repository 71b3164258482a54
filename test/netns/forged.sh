#!/bin/bash
# forged.sh: a stranger on the link speaks as the peer.
set -u
. "$(dirname "$0")/common.sh"
pair_open forged
daemon_start fw-b

forge() {
	in_ns fw-a python3 "$CT_SRC/test/netns/forge.py" "$@"
}

logged() {
	grep -c "$1" "$LAB_DIR/fw-b.log"
}

# The last line about a commit; the log worker may still be writing it.
commits_without_helpers_are() {
	[ "$(logged '2000 entries had to do without')" = "$1" ]
}

# Helpers that the kernel does not have: it looks for a module each time it is asked. The flows are worth having without.
unknown_helper() {
	forge 1000 2000 junk && wait_for 20 external_is fw-b 2000 && ctl fw-b -c || return
	[ "$(in_ns fw-b "$CONNTRACK" -L 2>/dev/null | grep -c dport=21)" = 2000 ] &&
		wait_for 10 commits_without_helpers_are 1 &&
		[ "$(logged "helper .junk. is not known to this kernel")" = 1 ] && [ "$(logged "can't be committed")" = 0 ]
}

unknown_helpers() {
	clear_kernel fw-b
	ctl fw-b -f external && forge 3000 2000 'j%d' && wait_for 20 external_is fw-b 2000 && ctl fw-b -c || return
	[ "$(in_ns fw-b "$CONNTRACK" -L 2>/dev/null | grep -c dport=21)" = 2000 ] &&
		wait_for 10 commits_without_helpers_are 2
}

run_cases unknown_helper unknown_helpers
