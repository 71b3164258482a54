# common.sh: two firewalls with our daemon on both, for the suites of this folder; sourced after CT_BIN is set.
. "${CT_SRC:-$(dirname "$0")/../..}/test/lib/netns.sh"

# What a request has to say for the daemon to show its structs (clients.py).
CTL_LAYOUT=$("$CT_BUILD/test/figures_print" layout)
export CTL_LAYOUT

# pair_open NAME [MODE-OPTIONS [GENERAL-LINES]]: laboratory, link and configurations; nothing runs yet.
pair_open() {
	local fw
	lab_open "netns-$1"
	lab_node fw-a fw-b
	lab_link fw-a fw-b
	for fw in fw-a fw-b; do
		daemon_conf $fw x FTFW "${2:-}" "${3:-}"
	done
}

pair_start() {
	daemon_start fw-a
	daemon_start fw-b
}

# flows NODE VERB KIND FIRST N [options of ctblast]
flows() {
	local node=$1 verb=$2 kind=$3 first=$4 n=$5
	shift 5
	in_ns "$node" "$CTBLAST" "$verb" -k "$kind" -f "$first" -n "$n" "$@" >/dev/null
}

some_of_each() {
	local k
	for k in tcp udp icmp sctp gre unknown tcp6 udp6 icmp6 nat natudp; do
		flows "$1" create $k "${2:-0}" 3 || return
	done
	flows "$1" create tcp $((${2:-0} + 500)) 3 -m 77 && flows "$1" create udp $((${2:-0} + 700)) 3 -z 3
}

clear_kernel() {
	in_ns "$1" "$CONNTRACK" -F >/dev/null 2>&1
}

same_kernels() {
	[ "$(flows_kernel fw-a)" = "$(flows_kernel fw-b)" ]
}

same_kernels_or_show() {
	wait_for "${1:-30}" same_kernels && return
	diff <(flows_kernel fw-a) <(flows_kernel fw-b) | head -n 20 >&2
	return 1
}

# The internal cache is what the kernel has.
cache_is_kernel() {
	[ "$(flows_kernel "$1" | canon_external)" = "$(flows_cache "$1" -i)" ]
}

cache_is_kernel_or_show() {
	wait_for "${2:-30}" cache_is_kernel "$1" && return
	diff <(flows_kernel "$1" | canon_external) <(flows_cache "$1" -i) | head -n 20 >&2
	return 1
}

# What A has in its kernel stands in B's external cache. B may know more: a node that was away cannot tell what ended meanwhile.
known_to() {
	[ -z "$(comm -23 <(flows_kernel "$1" | canon_external) <(flows_cache "$2" -e))" ]
}

known_to_or_show() {
	wait_for "${3:-30}" known_to "$1" "$2" && return
	comm -23 <(flows_kernel "$1" | canon_external) <(flows_cache "$2" -e) | head -n 20 >&2
	return 1
}

external_is() {
	[ "$(cache_counter "$1" external)" = "$2" ]
}

kernel_is() {
	[ "$(count_kernel "$1")" = "$2" ]
}

# A number from a statistics request: stat_of NODE -s what 'label'
stat_of() {
	ctl "$1" "$2" "$3" | awk -v l="$4" 'index($0, l) { sub(/.*:[ \t]*/, ""); print $1; exit }'
}

alive() {
	[ -e "/proc/${DAEMON_PID[$1]}/exe" ] && ctl "$1" -s runtime >/dev/null
}

# own NODE words: conntrackctl
own() {
	local node=$1
	shift
	in_ns "$node" timeout 60 "$CT_BIN/conntrackctl" -C "$LAB_DIR/$node.conf" "$@"
}

role() {
	own "$1" role "$2"
}

# Pid of a node's worker that serves a role, the oldest first: the spare is younger.
workers() {
	local p
	for p in $(tree "${DAEMON_PID[$1]}" | tail -n +2); do
		tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q "$2" && echo "$p"
	done
}
