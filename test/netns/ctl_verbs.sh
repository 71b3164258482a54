#!/bin/bash
# ctl_verbs.sh: every verb of conntrackctl and every old client option against two running firewalls: what it does, what
# it prints (JSON is read by jq), how it ends, and who may ask.
set -u
. "$(dirname "$0")/common.sh"
command -v jq >/dev/null || skip "no jq"
python3 -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema"
GROUP=daemon # exists everywhere, and nobody's primary group here
pair_open ctl '' "UNIX { Group $GROUP }"

# ends STATUS cmd …: the command ends with that status.
ends() {
	local want=$1 rc
	shift
	"$@" >"$LAB_DIR/last.out" 2>"$LAB_DIR/last.err"
	rc=$?
	[ $rc -eq "$want" ] && return
	echo "status $rc, not $want: $*" >&2
	cat "$LAB_DIR/last.err" >&2
	return 1
}

json_is() {
	local node=$1 filter=$2
	shift 2
	own "$node" --json "$@" | jq -e "$filter" >/dev/null || {
		echo "not so: $filter: $*" >&2
		return 1
	}
}

start_with_flows() {
	pair_start
	some_of_each fw-a && replicated_or_show fw-a fw-b
}

status_shows_both() {
	local text
	text=$(own fw-a status) || return
	[ "$(wc -l <<<"$text")" -le 16 ] && grep -q '^peer  *in sync' <<<"$text" || return
	json_is fw-a '.peer.in_sync and .mode == "ftfw" and .links[0].device == "link0"' status &&
		json_is fw-a ".flows.internal == $(cache_counter fw-a internal)" status &&
		json_is fw-b ".flows.external == $(cache_counter fw-b external)" status
}

# Traffic goes on between two calls, so numbers are left out here; unit tests compare them.
shape() {
	sed -E 's/[0-9]+/N/g; s/ +/ /g'
}

stats_are_the_old_ones() {
	local pair
	for pair in : general: expect:expect network:network cache:cache link:link queue:queue runtime:runtime; do
		diff <(own fw-a stats ${pair%:*} | shape) <(ctl fw-a -s ${pair#*:} | shape) || return
	done
	own fw-a stats network | grep -q '^network statistics:$' &&
		own fw-a stats link | grep -q '^UDP traffic device=link0 status=RUNNING role=ACTIVE:$' &&
		own fw-a stats runtime | grep -q '^daemon uptime: ' && own fw-a stats rsqueue | grep -q '^resent queue (len=' &&
		own fw-a stats process | grep -q "^PID=${DAEMON_PID[fw-a]} type=parent"
}

stats_as_json() {
	json_is fw-a '.caches.internal.active > 30 and .netlink.events > 30 and (.links | length) == 1' stats &&
		json_is fw-a '.network.malformed == 0' stats network && json_is fw-a '.caches.external.active == 0' stats cache &&
		json_is fw-a '.netlink.buffer_size > 0' stats runtime && json_is fw-a '.links[0].active' stats link &&
		json_is fw-a '.queues.resend.maximum > 0' stats queue && json_is fw-a '.resend_queue | type == "array"' stats rsqueue &&
		json_is fw-a '[.processes[] | select(.role == "sync" and .state == "serving")] | length == 1' stats process &&
		json_is fw-a '.expect_caches.internal.active == 0' stats expect
}

# json_valid NODE KIND words: what is printed is that kind of the published schema.
json_valid() {
	local node=$1 kind=$2
	shift 2
	own "$node" --json "$@" >"$LAB_DIR/json"
	python3 "$CT_SRC/test/netns/ctl_json.py" "$CT_SRC/doc" "$kind" <"$LAB_DIR/json" || {
		echo "not by the schema: $*" >&2
		return 1
	}
}

json_is_as_published() {
	local part
	json_valid fw-a status status && json_valid fw-a resend_queue stats rsqueue || return
	for part in '' general expect network cache runtime link queue process; do
		json_valid fw-a stats stats $part || return
	done
	json_valid fw-a entry dump internal && json_valid fw-b entry dump external || return
	json_valid fw-b result commit && json_valid fw-b result flush internal && json_valid fw-b result send &&
		json_valid fw-b result purge && json_valid fw-b result role backup && json_valid fw-b result resync kernel
}

warned() {
	json_is fw-b "[.warnings[] | select(test(\"$1\"))] | length > 0" status 2>/dev/null
}

not_warned() {
	json_is fw-b "[.warnings[] | select(test(\"$1\"))] | length == 0" status 2>/dev/null
}

# Lost messages are worth a warning while they are lost, and none when they were repeated; the total stays.
losses_are_forgotten_when_repaired() {
	not_warned 'messages of the peer were lost' && lab_loss 40 fw-b || return
	flows fw-a create udp 800000 3000 && wait_for 20 warned 'messages of the peer were lost'
	set -- $?
	lab_loss 0 fw-b
	[ "$1" = 0 ] || { own fw-b status >&2; return 1; }
	wait_for 60 not_warned 'messages of the peer were lost' || { own fw-b status >&2; return 1; }
	json_is fw-b '.network.lost > 0' stats network && flows fw-a delete udp 800000 3000 && replicated_or_show fw-a fw-b
}

# A dump lists what the counter says, one flow a line, in all three formats, and the old client prints the same.
dumps_agree() {
	local cache node n
	for cache in internal:fw-a:-i external:fw-b:-e; do
		IFS=: read -r cache node old <<<"$cache"
		n=$(cache_counter "$node" "$cache")
		[ "$n" -gt 30 ] && [ "$(own "$node" dump "$cache" | wc -l)" = "$n" ] || return
		[ "$(own "$node" dump "$cache" --json | jq -s 'map(select(.orig.src and .active_since >= 0)) | length')" = "$n" ] || return
		[ "$( (echo '<r>'; own "$node" dump "$cache" --xml; echo '</r>') | xmllint --xpath 'count(/r/flow)' -)" = "$n" ] || return
		diff <(own "$node" dump "$cache" | canon) <(ctl "$node" $old | canon) || return
		diff <(own "$node" dump "$cache" --xml | sort) <(ctl "$node" $old -x | sort) || return
	done
	ends 0 own fw-a dump internal expect && ends 0 own fw-a dump external expect --json
}

commit_loads_the_kernel() {
	local n
	clear_kernel fw-b
	n=$(cache_counter fw-b external)
	own fw-b commit ct | grep -q "^flows: $n committed, 0 failed, " || return
	[ "$(count_kernel fw-b)" -ge "$n" ] && clear_kernel fw-b || return
	json_is fw-b ".result == \"done\" and .commits[0].committed == $n and .commits[0].failed == 0" commit &&
		ends 0 own fw-b commit expect && json_is fw-b '.commits >= 2 and .commit_failed == 0' status
}

flush_empties() {
	ends 0 own fw-b flush external && [ "$(cache_counter fw-b external)" = 0 ] &&
		ends 0 own fw-b flush internal ct && [ "$(cache_counter fw-b internal)" = 0 ] || return
	ends 0 own fw-b flush kernel && ends 0 own fw-b flush kernel expect && kernel_is fw-b 0
}

resync_and_send_fill() {
	ends 0 own fw-a flush internal ct && ends 0 own fw-a resync kernel && cache_is_kernel_or_show fw-a || return
	ends 0 own fw-a resync kernel ct || return
	ends 0 own fw-b flush external && ends 0 own fw-a send && replicated_or_show fw-a fw-b || return
	ends 0 own fw-b flush external && ends 0 own fw-b resync peers && replicated_or_show fw-a fw-b
}

roles_are_told() {
	ends 0 own fw-b role primary && same_kernels_or_show && json_is fw-b '.role == "primary"' status || return
	ends 0 own fw-b role backup && json_is fw-b '.role == "backup" and .purge_armed' status || return
	ends 0 own fw-b commit && json_is fw-b '.purge_armed | not' status || return
	ends 0 own fw-b purge && json_is fw-b '.purge_armed' status && ends 0 own fw-b role fault --json
}

# meant WORD words: a wrong line, and what it should have been; without a WORD nothing is near enough, or allowed.
meant() {
	local word=$1
	shift
	ends 2 own fw-b "$@" && [ "$(sed -n "s/.*did you mean '\(.*\)'?.*/\1/p" "$LAB_DIR/last.err")" = "$word" ] && return
	cat "$LAB_DIR/last.err" >&2
	return 1
}

misspelt_words_find_the_right_ones() {
	meant status statsu && meant network stats netwrk && meant internal flush internl && meant expect commit exepct &&
		meant expect dump external expct && meant primary role PRIMRY && meant '' commit everything &&
		meant '' stats network network && meant '' role primary primari && meant '' flush && meant '' commit ct ct
}

# While a commit runs, a flush of what it commits is refused: 5 here, 0 and a word in the old client.
busy_is_said() {
	local job rc seen=0
	flows fw-a create tcp 1000 60000 && wait_for 60 external_has_many || return
	for try in 1 2 3 4 5 6; do
		clear_kernel fw-b
		own fw-b commit >/dev/null &
		job=$!
		while [ -e /proc/$job/exe ]; do
			own fw-b flush external expect 2>/dev/null
			rc=$?
			[ $rc -eq 0 ] || [ $rc -eq 5 ] || { echo "status $rc" >&2; return 1; }
			[ $rc -eq 0 ] || seen=1
		done
		wait $job || return
		[ $seen = 0 ] || break
	done
	clear_kernel fw-a
	[ $seen = 1 ] || { echo "never busy" >&2; return 1; }
	wait_for 10 grep -q '\[ERROR\] ignoring flush command, commit still in progress$' "$LAB_DIR/fw-b.log"
}

external_has_many() {
	[ "$(cache_counter fw-b external)" -gt 60000 ]
}

# as USER GROUP… cmd: rights of a user with these groups
as() {
	local groups=$1
	shift
	setpriv --reuid 65534 --regid 65534 ${groups:+--groups} ${groups:---clear-groups} "$@"
}

# Members of the group may look and do nothing else; others may not even connect.
readers_and_others() {
	local sock=$LAB_DIR/fw-a.sock bin=$LAB_DIR/bin gid word
	mkdir "$bin" && cp "$CT_BIN"/{conntrackctl,conntrackd,ctd-start} "$bin" || return # to where anybody may go
	gid=$(getent group $GROUP | cut -d: -f3)
	for word in status stats 'stats rsqueue' 'dump internal' 'dump external --json'; do
		ends 0 as "$gid" "$bin/conntrackctl" --socket "$sock" $word || return
		ends 3 as '' "$bin/conntrackctl" --socket "$sock" $word || return
	done
	for word in commit 'flush internal' 'flush kernel' 'resync kernel' 'resync peers' send purge 'role primary' stop; do
		ends 3 as "$gid" "$bin/conntrackctl" --socket "$sock" $word || return
		grep -q '^conntrackctl: ' "$LAB_DIR/last.err" || return
	done
	chmod 644 "$LAB_DIR/fw-a.conf"
	ends 0 as "$gid" "$bin/conntrackd" -C "$LAB_DIR/fw-a.conf" -s && grep -q '^cache internal:$' "$LAB_DIR/last.out" || return
	ends 1 as "$gid" "$bin/conntrackd" -C "$LAB_DIR/fw-a.conf" -c &&
		grep -q "can't connect: is conntrackd running? appropriate permissions?" "$LAB_DIR/last.err" || return
	ends 1 as '' "$bin/conntrackd" -C "$LAB_DIR/fw-a.conf" -s && alive fw-a
}

# reader UID words: as another member of the group
reader() {
	local uid=$1
	shift
	setpriv --reuid "$uid" --regid 65534 --groups "$(getent group $GROUP | cut -d: -f3)" "$@"
}

# Who lets dumps lie unread has the places of one user, and loses them to whoever needs one; others and root are served.
unread_dumps_lock_nobody_out() {
	local sock=$LAB_DIR/fw-a.sock bin=$LAB_DIR/bin k rc=0
	flows fw-a create udp 300000 20000 && cp "$CT_SRC/test/netns/clients.py" "$bin" || return
	for k in 1 2 3; do
		in_ns_bg fw-a "$LAB_DIR/deaf.$k" setpriv --reuid $((60000 + k)) --regid 65534 --groups "$(getent group $GROUP | cut -d: -f3)" \
			/usr/bin/python3 "$bin/clients.py" "$sock" deaf
		wait_for 10 grep -q there "$LAB_DIR/deaf.$k" || { cat "$LAB_DIR/deaf.$k" >&2; return 1; }
	done
	ends 0 reader 60009 "$bin/conntrackctl" --socket "$sock" status && ends 0 own fw-a status &&
		wait_for 10 reader 60001 "$bin/conntrackctl" --socket "$sock" status &&
		json_is fw-a '.runtime | .local_turned_away > 0 and .local_displaced > 0 and .local_turned_away + .local_displaced >= 48' stats runtime || rc=1
	for k in 1 2 3; do
		kill $(in_ns fw-a pgrep -u $((60000 + k)))
	done
	[ $rc -eq 0 ] && wait_for 5 grep -q '\[warning\] too many control clients: that of uid 6000[123] ' "$LAB_DIR/fw-a.log" &&
		grep -q '\[warning\] too many control clients: [0-9]* were turned away' "$LAB_DIR/fw-a.log"
}

# Every option of the old client is delivered and ends with 0.
old_options() {
	local o
	for o in -s '-s network' '-s cache' '-s runtime' '-s link' '-s multicast' '-s rsqueue' '-s process' '-s queue' '-s ct' \
		'-s expect' -i '-i ct' '-i expect' '-i -x' '-i expect -x' -e '-e expect' '-e -x' '-e expect -x' -c '-c ct' \
		'-c expect' -f '-f internal' '-f external' -F '-F ct' '-F expect' -R '-R ct' '-R expect' -B -n -t -v -h; do
		ends 0 ctl fw-b $o || return
	done
	ends 1 ctl fw-b -Z && ends 1 ctl fw-b -s nonsense && ends 1 ctl fw-b -c -d && ends 1 ctl fw-b -x && alive fw-b
}

# Output that cannot be written is a failure, a reader that leaves early is none of ours.
full_devices_are_noticed() {
	local words
	some_of_each fw-a && wait_for 20 cache_is_kernel fw-a || return
	for words in status stats 'stats --json' 'dump internal' 'dump internal --json'; do
		own fw-a $words >/dev/full 2>"$LAB_DIR/last.err" && { echo "no complaint: $words" >&2; return 1; }
		grep -q 'standard output' "$LAB_DIR/last.err" || return
	done
	[ "$(own fw-a dump internal | head -n 1 | wc -l)" = 1 ]
}

check_judges() {
	ends 0 own fw-a check || return
	sed 's/HashLimit/HashLimt/' "$LAB_DIR/fw-a.conf" >"$LAB_DIR/bad.conf"
	ends 1 in_ns fw-a "$CT_BIN/conntrackctl" -C "$LAB_DIR/bad.conf" check
	grep -q 'bad.conf:[0-9]*:[0-9]*: .*HashLimt' "$LAB_DIR/last.err" || return
	# the daemon can be reached all the same
	ends 0 in_ns fw-a "$CT_BIN/conntrackctl" -C "$LAB_DIR/bad.conf" status
}

# A stopped (SIGSTOP) daemon costs the time that was given, not for ever.
frozen_daemon_times_out() {
	local list rc=0
	list=$(tree "${DAEMON_PID[fw-a]}")
	kill -STOP $list
	ends 1 own fw-a --timeout 1 status && grep -q 'in time' "$LAB_DIR/last.err" || rc=1
	kill -CONT $list
	wait_for 10 alive fw-a && return $rc
}

# "stop" returns when the daemon is gone, at once reachable for nobody.
stop_waits() {
	local p=${DAEMON_PID[fw-b]} stop
	ends 0 own fw-b stop && gone "$p" || return
	ends 1 own fw-b status && ends 1 ctl fw-b -s && ends 1 own fw-b stop
	daemon_start fw-b && p=${DAEMON_PID[fw-b]} && ends 0 ctl fw-b -k && gone "$p" && ends 1 ctl fw-b -k || return
	for stop in 'own fw-b stop' 'ctl fw-b -k'; do # of one that left its terminal, too
		ends 0 ctl fw-b -d || return
		p=$(own fw-b --json stats process | jq .parent_pid)
		[ "$p" -gt 1 ] && ends 0 $stop && gone "$p" || return
	done
}

silent() {
	ends 0 "$@" && [ ! -s "$LAB_DIR/last.out" ] && [ ! -s "$LAB_DIR/last.err" ]
}

restart_as() {
	daemon_stop fw-a
	daemon_conf fw-a x "$@"
	daemon_start fw-a
}

# What a mode does not have: 4 here, not a word and 0 in the old client.
unsupported_is_said() {
	restart_as ALARM
	ends 4 own fw-a stats rsqueue && ends 4 own fw-a send && ends 4 own fw-a resync peers || return
	silent ctl fw-a -s rsqueue && silent ctl fw-a -B && silent ctl fw-a -n && json_is fw-a '.mode == "alarm"' status || return
	restart_as NOTRACK 'DisableExternalCache on'
	ends 4 own fw-a dump external && silent ctl fw-a -e && ends 0 own fw-a commit && ends 0 own fw-a resync peers || return
	json_is fw-a '.mode == "notrack"' stats && json_is fw-a '.external_disabled' stats cache || return
	restart_as NOTRACK 'DisableInternalCache on'
	ends 4 own fw-a dump internal && ends 4 own fw-a resync kernel --json || return
	ends 0 ctl fw-a -i && grep -q '^tcp  *6 [0-9]* ' "$LAB_DIR/last.out" && silent ctl fw-a -R && ends 0 own fw-a role primary && own fw-a stats | grep -q '^internal bypass:$'
}

# Without an external cache there is nothing to commit, and all the rest of the take-over is done.
role_with_nothing_to_commit() {
	restart_as FTFW 'DisableExternalCache on'
	ends 0 own fw-a role primary && cache_is_kernel_or_show fw-a
}

has_marked() {
	[ "$(own fw-b dump external | grep -c mark=4242)" = 100 ]
}

# The dump after a commit finds what polling would have found, and peers hear of it all the same.
polled_flows_outlive_a_commit() {
	restart_as FTFW '' 'PollSecs 600'
	daemon_start fw-b
	flows fw-a create udp 500000 100 -m 4242 && ends 0 own fw-a commit && wait_for 20 has_marked
}

run_cases start_with_flows status_shows_both stats_are_the_old_ones stats_as_json json_is_as_published losses_are_forgotten_when_repaired dumps_agree \
	commit_loads_the_kernel flush_empties resync_and_send_fill roles_are_told misspelt_words_find_the_right_ones old_options \
	busy_is_said readers_and_others unread_dumps_lock_nobody_out full_devices_are_noticed check_judges frozen_daemon_times_out stop_waits unsupported_is_said \
	role_with_nothing_to_commit polled_flows_outlive_a_commit
