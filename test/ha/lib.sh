# lib.sh: firewalls with real keepalived between a client and a server whose streams live through them; what scenarios are made of.
# Sourced by test/ha/run and test/ha/agents.sh.
#
#	lab_up			the laboratory runs: ACTIVE is primary, BACKUP its backup, every stream lives, nothing new may begin
#	power_off NODE		its processes are dead, its cables out, its kernel's table lost; power_on NODE: it boots
#	fail_over		the active one loses its power, the other takes over, the first comes back as backup
#	churn RATE … churn_end	short connections besides
#	streams_live WHAT	every stream has an echo of a moment after this
#	tables_agree WHAT	kernel, internal and external caches are the same, both ways
#	logged NODE PATTERN	the node's log says so since log_mark
#	verdict STATUS TEXT	one line of output
#
# A scenario may set before lab_up: LINK, FIREWALLS, MODE, MODE_OPTIONS, GENERAL, KA_WORDS, or define its own configure
# and hook_of.
. "$CT_SRC/test/netns/common.sh"
. "$CT_SRC/test/demo/lab.sh"

LINK=lab_link FIREWALLS=(fw-a fw-b) MODE=FTFW MODE_OPTIONS="StartupResync on PurgeTimeout 3" GENERAL= KA_WORDS=nopreempt SPARED=
ACTIVE=fw-a BACKUP=fw-b CHURN=
declare -A KEEPALIVED=() PRIORITY=() MARK=()

# ---- output

verdict() {
	if [ "$1" = 0 ]; then
		echo "ok    ${*:2}"
	else
		echo "FAIL  ${*:2}"
		LAB_FAILED=1
	fi
	return "$1"
}

note() {
	echo "      $*"
}

# ---- the laboratory

targets() {
	local kind p=7001 a4=10.2.0.10 a6=fd02::10 ping4=10.2.0.10 ping6=fd02::10
	for kind in plain snat dnat; do
		[ $kind != snat ] || ping4=10.2.0.12 ping6=fd02::12
		[ $kind != dnat ] || a4=10.1.0.1 a6=fd01::1 ping4=10.1.0.1 ping6=fd01::1
		echo tcp/$a4/$p/tcp4-$kind tcp/$a6/$p/tcp6-$kind udp/$a4/$p/udp4-$kind udp/$a6/$p/udp6-$kind
		echo icmp/$ping4/0/icmp4-$kind icmp/$ping6/0/icmp6-$kind sctp/$a4/$p/sctp4-$kind sctp/$a6/$p/sctp6-$kind
		p=$((p + 1))
	done
}

configure() {
	daemon_conf "$1" x "$MODE" "$MODE_OPTIONS" "$(demo_filter) $GENERAL"
}

# The script that keepalived calls; nothing: that of conf/.
hook_of() {
	:
}

lab_up() {
	local fw priority=150
	lab_open "ha-$SCENARIO"
	trap 'ha_close' EXIT
	demo_network $LINK "${FIREWALLS[@]}"
	for fw in "${FIREWALLS[@]}"; do
		PRIORITY[$fw]=$priority
		priority=$((priority - 20))
		configure $fw
		demo_hook $fw 1 "$(hook_of $fw)"
		daemon_start $fw
	done
	node_joins "$ACTIVE" primary
	for fw in "${FIREWALLS[@]}"; do
		[ $fw = "$ACTIVE" ] || node_joins $fw backup
	done
	streams_begin
}

# Whatever a scenario has to put back on this machine is put back by its own clean_up.
ha_close() {
	local rc=$?
	[ "$(type -t clean_up)" != function ] || clean_up
	(exit $rc)
	lab_close
}

node_joins() {
	rm -f "$LAB_DIR/$1".{roles,ka.pid,vrrp.pid}
	demo_keepalived "$1" "${PRIORITY[$1]}" "$LAB_DIR/$1.notify" "$KA_WORDS"
	wait_for 20 role_is "$1" "$2" || die "$1 does not become $2"
}

streams_begin() {
	demo_server 7001 7002 7003 7011 7012 7013
	demo_client "$flows" $(targets)
	wait_for 60 all_alive || die "only $(status alive) of $flows streams came up"
	nothing_may_begin
	echo mark >&7
	note "$flows streams live: tcp, udp, icmp, sctp (over raw sockets$(sctp_word)), plain, snat, dnat, IPv4 and IPv6"
}

sctp_word() {
	grep -q '^SCTP ' /proc/net/protocols || echo "; this kernel has no SCTP sockets"
}

all_alive() {
	[ "$(status alive)" = "$flows" ]
}

# But for the ports of churn: a firewall that does not know a stream loses it.
nothing_may_begin() {
	local fw
	for fw in "${FIREWALLS[@]}"; do
		in_ns $fw nft -f - <<-NFT || die "nft refuses to close the firewall"
			flush chain inet filter begin
			add rule inet filter begin meta l4proto { tcp, udp } th dport { 7011-7013 } accept
		NFT
	done
}

# ---- power

power_off() {
	local now=$EPOCHREALTIME
	demo_power_off "$1"
	clear_kernel "$1"
	is_ours "$1" || rm -f "$LAB_DIR/$1.lock"
	rm -f "$LAB_DIR/$1".{roles,ka.pid,vrrp.pid}
	FELL=$now
}

power_on() {
	local dev
	for dev in inside outside link0; do
		in_ns "$1" ip link set $dev up
	done
	daemon_start "$1"
	node_joins "$1" "${2:-backup}"
}

# in sync says that the two hear each other; what was asked for may still be on its way.
has_all() {
	own "$1" --json status | jq -e .peer.in_sync >/dev/null &&
		[ $(($(cache_counter "$2" internal) * 99 / 100)) -le "$(cache_counter "$1" external)" ]
}

seconds_since() {
	awk -v a="$1" -v b="${2:-$EPOCHREALTIME}" 'BEGIN { printf "%.2f", b - a }'
}

# role_time NODE ROLE begins|done
role_time() {
	sed -n "s/ $2 $3\$//p" "$LAB_DIR/$1.roles" | tail -n 1
}

# The backup becomes primary; what was the active one is now the other.
takes_over() {
	local new=$BACKUP old=$ACTIVE
	wait_for 20 role_is $new primary || { verdict 1 "$new does not take over"; return 1; }
	verdict 0 "$new primary $(seconds_since "$FELL" "$(role_time $new primary begins)") s after the end of $old, its role's script done after" \
		"$(seconds_since "$FELL" "$(role_time $new primary done)") s"
	ACTIVE=$new BACKUP=$old
}

# The active node's keepalived ends in good order; its daemon, its cables and its table stay.
hand_over() {
	FELL=$EPOCHREALTIME
	kill -TERM "${KEEPALIVED[$ACTIVE]}"
	wait "${KEEPALIVED[$ACTIVE]}"
}

# hand_over_and SIGNAL FLOWS: SIGNAL goes to the sync worker of who takes over when a part of the flows is in its kernel. The commit is
# quick: the watch begins before it, and starts no process.
hand_over_and() {
	local n
	wait_for 20 nothing_in_kernel $BACKUP || verdict 1 "$BACKUP has flows already: $(count_kernel $BACKUP)"
	in_ns_bg $BACKUP "$LAB_DIR/middle.$1" bash -c 'n=0
		until [ $n -gt 300 ]; do read -r n </proc/sys/net/netfilter/nf_conntrack_count; done
		kill -$1 $2
		read -r n </proc/sys/net/netfilter/nf_conntrack_count
		echo $n' - "$1" "$(workers $BACKUP sync | head -n 1)"
	hand_over
	wait "$BG"
	n=$(cat "$LAB_DIR/middle.$1")
	[ "$n" -lt $2 ]
	verdict $? "SIG$1 to the sync worker of $BACKUP with $n of $2 flows in the kernel"
}

nothing_in_kernel() {
	[ "$(count_kernel "$1")" -lt 100 ]
}

fail_over() {
	power_off "$ACTIVE"
	takes_over && streams_live "after the take-over"
	power_on "$BACKUP"
	tables_agree "after $BACKUP came back"
}

# ---- churn

# churn RATE: so many short connections a second.
churn() {
	in_ns_bg client "$LAB_DIR/churn.out" python3 "$CT_SRC/test/demo/streams.py" churn "$1" "$LAB_DIR/churn" \
		tcp/10.2.0.10/7011/x udp/fd02::10/7011/x udp/10.2.0.10/7012/x tcp/fd02::10/7012/x tcp/10.1.0.1/7013/x udp/fd01::1/7013/x
	CHURN=$BG
	wait_for 20 churned "$1" || die "no churn"
}

churned() {
	[ "$(churn_done)" -ge "$1" ]
}

churn_done() {
	local begun done
	read -r begun done 2>/dev/null <"$LAB_DIR/churn"
	echo "${done:-0}"
}

churn_end() {
	sleep 0.6
	{ kill -KILL "$CHURN"; wait "$CHURN"; } 2>/dev/null
	note "churn: $(sed 's/ / connections begun, /; s/$/ answered/' "$LAB_DIR/churn")"
}

# ---- what must hold

# Every stream has had an echo since then; SPARED is a pattern of those that need not.
streams_since() {
	tail -n +2 "$LAB_DIR/status" | grep -v -e "${SPARED:-^$}" | awk -v since="$1" '$2 != $3 || $5 <= since { bad = 1 } END { exit bad || NR == 0 }'
}

# streams_live WHAT [SECONDS]: TCP repeats itself at growing intervals, so there is time.
streams_live() {
	wait_for "${2:-40}" streams_since "$EPOCHREALTIME"
	verdict $? "streams $1: $(status alive) alive, $(status silent) silent, $(status broken) broken, longest gap $(status gap) ms" && return
	tail -n +2 "$LAB_DIR/status" | awk '$2 != $3 { print "      " $1 ": " $3 " of " $2 " alive" }'
	grep -a '^[0-9.]* [a-z0-9-]* [0-9]*: ' "$LAB_DIR/client.out" | head -n 5
	return 1
}

# same_tables NODE: its kernel, its internal cache, and its external cache beside the internal ones of the others. Of a scheduled purge
# peers are not told (as in 1.4.x), so after one of theirs the external cache may hold more. Tables that change all the time are not seen
# in one moment: what is between two looks at the kernel must have been there in one of them, and what is in both must be there.
same_tables() {
	local kernel internal external wanted
	kernel=$(flows_kernel "$1" | canon_external)
	wanted=$(internal_of_others "$1")
	internal=$(flows_cache "$1" -i)
	external=$(flows_cache "$1" -e)
	SAME="$1 kernel $(lines "$kernel") internal $(lines "$internal") external $(lines "$external")"
	between "$kernel" "$internal" "flows_kernel $1" || return
	between "$wanted" "$external" "internal_of_others $1" && return
	others_purged "$1" && [ -z "$(comm -23 <(echo "$wanted") <(echo "$external"))" ] && SAME="$SAME (with what was purged)"
}

# between BEFORE TABLE COMMAND: TABLE is BEFORE, or between that and what the command says now.
between() {
	local after
	[ "$1" != "$2" ] || return 0
	after=$($3 | canon_external)
	DIFFERENT=$(comm -23 <(comm -12 <(echo "$1") <(echo "$after")) <(echo "$2") | sed 's/^/missing: /'
		comm -13 <(sort -u <(echo "$1") <(echo "$after")) <(echo "$2") | sed 's/^/too much: /')
	[ -z "$DIFFERENT" ]
}

internal_of_others() {
	local fw
	for fw in $(running); do
		[ $fw = "$1" ] || flows_cache $fw -i
	done | sort -u
}

# Firewalls that have a daemon.
running() {
	local fw
	for fw in "${FIREWALLS[@]}"; do
		[ ! -e "/proc/${DAEMON_PID[$fw]}/exe" ] || echo $fw
	done
}

others_purged() {
	local fw
	for fw in "${FIREWALLS[@]}"; do
		[ $fw = "$1" ] || ! grep -q 'table (scheduled)' "$LAB_DIR/$fw.log" || return 0
	done
	return 1
}

lines() {
	[ -n "$1" ] && wc -l <<<"$1" || echo 0
}

# tables_agree WHAT [SECONDS]
tables_agree() {
	local fw rc=0 tables=
	for fw in $(running); do
		wait_for_here "${2:-30}" same_tables $fw || rc=1
		tables="$tables${tables:+; }$SAME"
		[ $rc = 0 ] || break
	done
	verdict $rc "tables $1: $tables" || head -n 10 <<<"$DIFFERENT"
	return $rc
}

# As wait_for, for what takes its time itself.
wait_for_here() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

log_mark() {
	local fw
	for fw in "${FIREWALLS[@]}"; do
		MARK[$fw]=$(wc -l <"$LAB_DIR/$fw.log")
	done
}

log_since() {
	tail -n +$((${MARK[$1]:-0} + 1)) "$LAB_DIR/$1.log" | grep -m 1 -e "$2"
}

logged() {
	local line
	wait_for "${3:-5}" log_since "$1" "$2"
	line=$(log_since "$1" "$2")
	verdict $? "log of $1: $(sed -E 's/^\[[^]]*\] (\(pid=[0-9]+\) )?//' <<<"${line:-nothing like $2}")"
}


# ---- other links than a cable

# A cable that loses, repeats and reorders once bad_wire says how much.
link_bad_wire() {
	local fw
	lab_node wire
	in_ns wire sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	for fw; do
		lab_wire $fw link0 wire $fw
		lab_link_addr $fw
	done
	mkfifo "$LAB_DIR/wire.in"
	exec 6<>"$LAB_DIR/wire.in"
	in_ns_bg wire "$LAB_DIR/wire.out" python3 "$CT_SRC/test/ha/wire.py" "$@" "$LAB_DIR/wire" 0 0 0 0<&6
	wait_for 10 grep -q ready "$LAB_DIR/wire.out" || die "no wire"
}

# bad_wire LOST TWICE LATE, in thousandths
bad_wire() {
	echo "$*" >&6
}

# All firewalls in one segment.
link_segment() {
	local fw
	in_ns switch ip link add name segment type bridge mcast_snooping 0 && in_ns switch ip link set segment up || die "no bridge"
	for fw; do
		lab_wire $fw link0 switch segment-$fw
		in_ns switch ip link set segment-$fw master segment
		lab_link_addr $fw
	done
}
