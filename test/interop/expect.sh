#!/bin/bash
# expect.sh ACTIVE BACKUP [NAT]: fw-a runs ACTIVE, fw-b BACKUP (ours or debian), FT-FW over UDP. What fw-a's kernel expects of a real
# FTP dialogue stands in fw-b's external cache, leaves it when it was used or deleted, comes again with a resync, and lets the data
# connection pass fw-b after its commit.
set -u
. "${CT_SRC:-$(dirname "$0")/../..}/test/netns/common.sh"
. "$CT_SRC/test/lib/ftp.sh"
lab_daemons "$1" "$2"
lab_open "interop-expect-$1-$2${3:-}"
ftp_lab "${3:-}"
for fw in fw-a fw-b; do
	daemon_conf $fw x FTFW '' '' 'ExpectationSync { ftp }'
	daemon_start $fw
done
ftp_start

nothing_is_left() {
	wait_for 10 expects_are fw-a 0 && wait_for 10 external_expects_are fw-b 0
}

it_arrives() {
	anew && expected_there pasv && [ "$(expects_cache fw-a -i)" = "$(expects_cache fw-b -e)" ]
}

use_removes_it() {
	anew && expected_there pasv && ftp get && nothing_is_left && expected_there port && ftp get && nothing_is_left
}

deletion_removes_it() {
	anew && expected_there pasv && in_ns fw-a "$CONNTRACK" -F expect 2>/dev/null && nothing_is_left
}

# What the backup is able to commit: 1.4.7 leaves out the translation, although it keeps and sends it.
expects_committed() {
	if is_ours fw-b; then expects_full "$1"; else expects_full "$1" | sed -E 's/ nat=.* flags/ flags/; s/fn=.*/fn=/'; fi
}

takes_over() {
	local before
	expected_there "$1" || return
	ctl fw-b -c
	wait_for 10 expects_are fw-b 1
	[ "$(expects_committed fw-a)" = "$(expects_committed fw-b)" ] ||
		{ diff <(expects_committed fw-a) <(expects_committed fw-b) >&2; return 1; }
	before=$(nft_count fw-b related)
	ftp_via fw-b
	ftp get && [ "$(nft_count fw-b related)" -gt "$before" ] && wait_for 10 expects_are fw-b 0
}

pasv_survives() { anew && takes_over pasv; }
port_survives() { anew && takes_over port; }
epsv6_survives() { anew -6 && takes_over epsv; }

resync_brings_it() {
	anew && expected_there pasv || return
	ctl fw-b -f && ctl fw-b -n && expects_replicated_or_show fw-a fw-b || return
	ctl fw-b -f && ctl fw-a -B && expects_replicated_or_show fw-a fw-b
}

backup_restarts() {
	anew && expected_there port && daemon_kill fw-b && daemon_start fw-b && ctl fw-b -n && expects_replicated_or_show fw-a fw-b
}

active_restarts() {
	anew && expected_there port && daemon_kill fw-a && daemon_start fw-a && ctl fw-a -B && expects_replicated_or_show fw-a fw-b &&
		ftp get && nothing_is_left
}

cases=(it_arrives use_removes_it deletion_removes_it pasv_survives epsv6_survives resync_brings_it backup_restarts active_restarts)
# the server's way to a translated client
[ "$2${3:-}" = debianNAT ] || cases+=(port_survives)
run_cases "${cases[@]}"
