#!/bin/bash
# expect.sh [NAT]: expectations of the kernel's own FTP helper, made by a real dialogue through fw-a, stand in fw-b, leave when they
# are used, deleted or over, and let the data connection pass as RELATED after fw-b took over. NAT: the client behind an address.
set -u
. "$(dirname "$0")/common.sh"
. "$CT_SRC/test/lib/ftp.sh"
NAT=${1:-}
lab_open "netns-expect$NAT"
ftp_lab "$NAT"
ftp_start

# conf WORDS: both daemons started with this ExpectationSync.
conf() {
	local fw
	for fw in fw-a fw-b; do
		[ -z "${DAEMON_PID[$fw]:-}" ] || daemon_stop $fw
		daemon_conf $fw x FTFW '' "${2:-}" "ExpectationSync $1"
	done
	pair_start
}

caches_show_it() {
	conf On && anew && expected_there pasv || return
	[ "$(expects_cache fw-a -i)" = "$(expects_kernel fw-a)" ] && [ -z "$(expects_cache fw-b -i)" ] || return
	[ "$(expects_kernel fw-a /usr/sbin/conntrack)" = "$(expects_kernel fw-a)" ] || return
	[ "$(own fw-b dump external expect | canon_expect)" = "$(expects_kernel fw-a)" ] || return
	own fw-b dump external expect --json | jq -e '.helper == "ftp" and .master.sport' >/dev/null || return
	own fw-b dump external expect --xml | xmllint --xpath '/flow/meta/helper-name' - >/dev/null || return
	[ "$(ctl fw-b -e expect -x | wc -l)" = 1 ] && [ "$(ctl fw-a -i expect -x | wc -l)" = 1 ] || return
	ctl fw-b -e expect | grep -q '\[active since [0-9]*s\]$' || return
	[ "$(cache_counter fw-a internal)" -ge 1 ] && [ "$(exp_counter fw-a internal)" = 1 ] && [ "$(exp_counter fw-b external)" = 1 ]
}

# exp_counter NODE CACHE: as -s expect shows it.
exp_counter() {
	ctl "$1" -s expect | awk -v c="cache $2:" '$0 == c { on = 1 } on && /current active connections/ { print $NF; exit }'
}

nothing_is_left() {
	wait_for 10 expects_are "$1" 0 && wait_for 10 external_expects_are fw-b 0 && [ -z "$(expects_cache "$1" -i)" ]
}

# The data connection itself is a related flow with a master, there as here.
use_removes_it() {
	anew && expected_there pasv && ftp get && nothing_is_left fw-a && known_to_or_show fw-a fw-b || return
	expected_there port && ftp get && nothing_is_left fw-a && known_to_or_show fw-a fw-b
}

deletion_removes_it() {
	anew && expected_there pasv && in_ns fw-a "$CONNTRACK" -F expect 2>/dev/null && nothing_is_left fw-a || return
	expected_there pasv && in_ns fw-a "$CONNTRACK" -D -p tcp --dport 21 >/dev/null 2>&1 && nothing_is_left fw-a
}

# expect_by_rule TIME: an expectation without a helper, for as long as a rule says.
expect_by_rule() {
	in_ns fw-a nft -f - <<-RULES || return
		table ip short {
			ct expectation soon { protocol udp; dport 9876; timeout $1; size 2; l3proto ip; }
			chain prerouting {
				type filter hook prerouting priority 10
				udp dport 7 ct expectation set "soon"
			}
		}
	RULES
	in_ns client bash -c 'echo >/dev/udp/10.2.0.2/7'
	in_ns fw-a nft delete table ip short
	wait_for 10 external_expects_are fw-b 1
}

# Some kernels take the rule's milliseconds for seconds.
timeout_removes_it() {
	local left
	anew && expect_by_rule 3s || return
	left=$(in_ns fw-a "$CONNTRACK" -L expect 2>/dev/null | cut -d ' ' -f 1)
	[ "${left:-0}" -lt 10 ] || { anew && expect_by_rule 3ms; } || return
	nothing_is_left fw-a
}

# committed: what fw-a's kernel expects, fw-b's expects now too, to the last detail.
committed() {
	ctl fw-b -c
	[ -n "$(expects_full fw-a)" ] && [ "$(expects_full fw-a)" = "$(expects_full fw-b)" ] ||
		{ diff <(expects_full fw-a) <(expects_full fw-b) >&2; tail -n 5 "$LAB_DIR/fw-b.log" >&2; return 1; }
	[ "$(expects_kernel fw-b /usr/sbin/conntrack)" = "$(expects_kernel fw-b)" ]
}

# The peer knows that the sequence numbers of the control connection are adjusted.
adjusted() {
	own fw-b dump external --json | jq -e 'select(.status | index("SEQ_ADJUST"))' >/dev/null
}

# fw-a is gone: the data connection that was announced through it passes fw-b, and so does the next one.
takes_over() {
	local before
	expected_there "$1" && { [ "$NAT$1" != NATeprt ] || wait_for 10 adjusted; } && committed || return
	before=$(nft_count fw-b related)
	ftp_via fw-b
	ftp get || return
	[ "$(nft_count fw-b related)" -gt "$before" ] || { echo "not as RELATED" >&2; return 1; }
	wait_for 10 expects_are fw-b 0 || { echo "the expectation was not used" >&2; return 1; }
	ftp "$1" get
}

# Without the state nothing of it passes: the rules of fw-b bite.
without_commit_it_dies() {
	anew && expected_there pasv || return
	ftp_via fw-b
	ftp get 2>/dev/null && return 1
	return 0
}

pasv_survives() { anew && takes_over pasv; }
port_survives() { anew && takes_over port; }
epsv_survives() { anew && takes_over epsv; }
epsv6_survives() { anew -6 && takes_over epsv; }
# With NAT the kernel writes the address into the command in full length: the control connection needs its sequence numbers adjusted.
eprt6_survives() { anew -6 && takes_over eprt; }

# TFTP: the kernel tells of the expectation before it tells of the master, because the master's first packet made it. The block comes
# through the firewall that took over.
first_packet_expects() {
	local before
	anew && expected_there rrq && known_to_or_show fw-a fw-b && committed || return
	before=$(nft_count fw-b related)
	ftp_via fw-b
	ftp block && [ "$(nft_count fw-b related)" -gt "$before" ]
}

# A data connection that was under way goes on, too: a related flow, after its master.
role_primary_is_enough() {
	anew && expected_there port && ftp get && expected_there port || return
	own fw-b role primary >/dev/null && [ "$(expects_full fw-a)" = "$(expects_full fw-b)" ] || return
	ftp_via fw-b
	ftp get noop
}

# A second commit finds everything in place, and says so.
commit_twice() {
	anew && expected_there pasv && committed && committed || return
	own fw-b commit expect | grep -q '^expectations: 1 committed, 0 failed' && expects_are fw-b 1
}

old_words() {
	anew && expected_there pasv || return
	ctl fw-b -c ct && expects_are fw-b 0 && ctl fw-b -c expect && expects_are fw-b 1 || return
	wait_for 10 exp_counter_is fw-b internal 1 || return
	ctl fw-b -F expect && wait_for 10 expects_are fw-b 0 && wait_for 10 exp_counter_is fw-b internal 0 || return
	[ "$(cache_counter fw-b internal)" -ge 1 ] && external_expects_are fw-b 1 || return # flows and the peer's stay
	ctl fw-b -c && expects_are fw-b 1 && ctl fw-b -F && wait_for 10 expects_are fw-b 0 || return
	ctl fw-b -f external && external_expects_are fw-b 1 || return # as in 1.4.x: flows only
	own fw-b flush external && external_expects_are fw-b 0 && ctl fw-a -B && expects_replicated_or_show fw-a fw-b || return
	ctl fw-b -f && external_expects_are fw-b 0 && ctl fw-b -n && expects_replicated_or_show fw-a fw-b || return
	own fw-a flush internal && [ -z "$(expects_cache fw-a -i)" ] && expects_replicated fw-a fw-b || return # nobody was told
	ctl fw-a -R && [ "$(expects_cache fw-a -i)" = "$(expects_kernel fw-a)" ] || return
	ctl fw-a -f && ctl fw-a -R expect && [ "$(expects_cache fw-a -i)" = "$(expects_kernel fw-a)" ]
}

exp_counter_is() {
	[ "$(exp_counter "$1" "$2")" = "$3" ]
}

# Whoever restarts: nobody types a command.
restarts() {
	anew && expected_there pasv && daemon_stop fw-b && daemon_start fw-b && expects_replicated_or_show fw-a fw-b || return
	daemon_kill fw-b && daemon_start fw-b && expects_replicated_or_show fw-a fw-b || return
	daemon_stop fw-a && daemon_start fw-a && expects_replicated_or_show fw-a fw-b || return
	daemon_kill fw-a && daemon_start fw-a && expects_replicated_or_show fw-a fw-b || return
	ftp get && nothing_is_left fw-a
}

# What was used while the daemon was away is told when it is back and asked.
used_meanwhile() {
	anew && expected_there pasv && daemon_stop fw-a && ftp get && daemon_start fw-a || return
	own fw-b flush external && ctl fw-b -n && wait_for 10 known_to fw-a fw-b && external_expects_are fw-b 0
}

# With nobody to acknowledge it the expectation waits with the flows.
rsqueue_lists_it() {
	anew && daemon_stop fw-b && ftp pasv && wait_for 20 rsqueue_is_whole
	local rc=$?
	daemon_start fw-b
	return $rc
}

rsqueue_is_whole() {
	local all
	all=$(ctl fw-a -s queue | awk '/^queue rsqueue/ { on = 1 } on && /current elements/ { print $NF }')
	[ "$(exp_counter fw-a internal)" = 1 ] && [ "$(stat_of fw-a -s queue 'current elements')" = 0 ] &&
		[ "$(ctl fw-a -s rsqueue | grep -c -e '^object -> seq' -e '^control -> seq')" = "$all" ]
}

helpers_in_a_list() {
	conf '{ sip FTP }' && anew && expected_there pasv || return
	conf '{ tftp }' && anew && nothing_is_sent
}

# Flows get through and expectations do not.
nothing_is_sent() {
	ftp pasv && wait_for 10 expects_are fw-a 1 && ftp get pasv && known_to_or_show fw-a fw-b || return
	ctl fw-a -B && ctl fw-b -n && ftp noop && known_to_or_show fw-a fw-b || return
	[ -z "$(expects_cache fw-b -e)" ] && [ -z "$(expects_cache fw-a -i)" ] && ctl fw-b -c && expects_are fw-b 0
}

off_sends_none() {
	conf Off && anew && nothing_is_sent && [ -z "$(ctl fw-a -s expect)" ]
}

udp_is_known() {
	flows_cache fw-b -e | grep -q '^udp .*dport=7'
}

# A master that the filter hides has no expectations either.
filter_hides_it() {
	empty_kernels
	conf On 'Filter From Userspace { Protocol Ignore { TCP } }' && ftp_client 10.1.0.2 10.2.0.2 && ftp open noop pasv &&
		wait_for 10 expects_are fw-a 1 || return
	in_ns client bash -c 'echo >/dev/udp/10.2.0.2/7'
	wait_for 10 udp_is_known || return
	[ "$(flows_cache fw-b -e | grep -c tcp)" = 0 ] && [ -z "$(expects_cache fw-a -i)" ] && [ -z "$(expects_cache fw-b -e)" ]
}

cases=(caches_show_it use_removes_it deletion_removes_it first_packet_expects without_commit_it_dies pasv_survives port_survives epsv_survives
	epsv6_survives eprt6_survives)
[ -n "$NAT" ] || cases+=(timeout_removes_it)
cases+=(role_primary_is_enough commit_twice old_words restarts used_meanwhile rsqueue_lists_it)
[ -n "$NAT" ] || cases+=(helpers_in_a_list off_sends_none filter_hides_it)
run_cases "${cases[@]}"
