# netns.sh: a two-firewall laboratory in network namespaces; sourced by test/netns, test/interop, test/bench, test/demo.
#
#	lab_open NAME		scratch folder $LAB_DIR, clean-up on exit whatever happens
#	lab_node fw-a …		a namespace per node
#	lab_link fw-a fw-b	the dedicated link: link0, 10.99.0.1/2 and fd99::1/2
#	lab_daemons ours debian	what fw-a and fw-b run
#	daemon_conf fw-a …	configuration of a node's daemon; daemon_start fw-a, daemon_stop, daemon_kill
#	ctl fw-a -s		a request in the classic words (conntrackd -C CONF …)
#	wait_for 20 cmd …	until the command succeeds or 20 s are over
#	silently fw-a cmd …	flows that cmd makes there are never reported
#	flows_kernel, flows_cache, same_flows …	canonical pictures of tables, for comparison
#
# CT_BIN holds the programs under test. CT_DAEMON_fw_a=/usr/sbin/conntrackd puts another daemon on one node.

: "${CT_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${CT_BUILD:=$CT_SRC/build/dev}"
: "${CT_BIN:=$CT_BUILD/bin}"
declare -A DAEMON_PID=()
declare -a LAB_NODES=()
LAB_FAILED=0

# ---- the laboratory

lab_open() {
	[ "$(id -u)" = 0 ] || skip "not root: cannot make network namespaces"
	LAB=ct-$1-$$
	LAB_DIR=$(mktemp -d "/tmp/$LAB.XXXXXX") || exit 1
	chmod 755 "$LAB_DIR"
	[ -e /proc/sys/net/netfilter/nf_conntrack_events ] || modprobe nf_conntrack
	trap lab_close EXIT
	trap 'exit 130' INT TERM HUP
	ip netns add "$LAB-probe" 2>/dev/null || skip "no network namespaces here"
	ip netns del "$LAB-probe"
}

lab_close() {
	local rc=$? ns list
	trap - EXIT
	trap '' PIPE # nobody may read what is said of it
	[ -z "${LAB_KEEP:-}" ] || exit $rc
	list=$(trees $(lab_pids))
	disown -a # no word about each of them
	[ -z "$list" ] || kill -KILL $list 2>/dev/null
	wait_for 10 gone $list
	for ns in "${LAB_NODES[@]}"; do
		ip netns del "$LAB-$ns" 2>/dev/null
	done
	[ "$rc" -eq 0 ] || [ "$rc" -eq 77 ] || lab_show_logs
	mountpoint -q "$LAB_DIR/tiny" && umount "$LAB_DIR/tiny"
	rm -rf "$LAB_DIR"
	exit $rc
}

# Whoever runs in one of our namespaces was started by us.
lab_pids() {
	local ns
	for ns in "${LAB_NODES[@]}"; do
		ip netns pids "$LAB-$ns" 2>/dev/null
	done
}

lab_show_logs() {
	local f
	for f in "$LAB_DIR"/*.log "$LAB_DIR"/*.out; do
		[ -s "$f" ] || continue
		echo "--- ${f##*/} (end)"
		tail -n 15 "$f"
	done >&2
}

lab_node() {
	local n
	for n in "$@"; do
		ip netns add "$LAB-$n" || exit 1
		LAB_NODES+=("$n")
		in_ns "$n" ip link set lo up
		flow_events "$n" 1 || die "cannot set nf_conntrack_events"
	done
}

# The kernel's own choice, 2, depends on who listens anywhere on this machine while a flow begins: 1 reports every flow, 0 none.
flow_events() {
	in_ns "$1" sysctl -q -w "net.netfilter.nf_conntrack_events=$2"
}

# silently NODE cmd …: flows that cmd makes are never reported to anybody, as if they were older than every listener.
silently() {
	local node=$1
	shift
	flow_events "$node" 0 || return
	"$@"
	set -- $?
	flow_events "$node" 1 && return $1
}

# lab_daemons ACTIVE BACKUP: what fw-a and fw-b run, ours or debian (conntrackd 1.4.7).
lab_daemons() {
	local debian=/usr/sbin/conntrackd who fw=fw_a
	"$debian" -v 2>/dev/null | grep -q 'v1\.4\.' || skip "Debian's conntrackd is not installed"
	for who in "$@"; do
		case $who in
		ours) printf -v "CT_DAEMON_$fw" %s "$CT_BIN/conntrackd" ;;
		debian) printf -v "CT_DAEMON_$fw" %s "$debian" ;;
		*) die "neither ours nor debian: $who" ;;
		esac
		fw=fw_b
	done
}

# lab_wire A DEVA B DEVB: a cable between two nodes.
lab_wire() {
	ip link add "$2" netns "$LAB-$1" type veth peer name "$4" netns "$LAB-$3" || exit 1
	in_ns "$1" ip link set "$2" up
	in_ns "$3" ip link set "$4" up
}

# lab_addr NODE DEV ADDRESS/LEN …
lab_addr() {
	local node=$1 dev=$2 a
	shift 2
	for a in "$@"; do
		case $a in
		*:*) in_ns "$node" ip -6 addr add "$a" dev "$dev" nodad ;;
		*) in_ns "$node" ip addr add "$a" dev "$dev" ;;
		esac
	done
}

lab_link() {
	lab_wire "$1" link0 "$2" link0
	lab_link_addr "$1"
	lab_link_addr "$2"
}

lab_link_addr() {
	local n
	n=$(lab_number "$1")
	lab_addr "$1" link0 10.99.0.$n/24 fd99::$n/64
}

# fw-a is 1 on the link, fw-b 2 …
lab_number() {
	local letters=abcdefghi
	letters=${letters%%"${1#fw-}"*}
	echo $((${#letters} + 1))
}

# lab_loss PERCENT NODE …: these nodes lose received datagrams of the link with that probability; 0 ends it.
lab_loss() {
	local percent=$1 n
	shift
	for n in "$@"; do
		in_ns "$n" nft delete table inet ct_loss 2>/dev/null
		[ "$percent" = 0 ] || in_ns "$n" nft -f - <<-NFT || return
			table inet ct_loss {
				chain in {
					type filter hook input priority -400
					iifname link0 meta l4proto udp numgen random mod 100 <= $((percent - 1)) counter drop
				}
			}
		NFT
	done
}

in_ns() {
	local node=$1
	shift
	nsenter --net="/run/netns/$LAB-$node" -- "$@"
}

# in_ns_bg NODE LOG cmd …: in the background; its own process, not a shell's, is left in $BG.
in_ns_bg() {
	local node=$1 log=$2
	shift 2
	nsenter --net="/run/netns/$LAB-$node" -- "$@" <&0 >>"$log" 2>&1 &
	BG=$!
}

# ---- results

skip() {
	echo "skipped: $*"
	exit 77
}

die() {
	echo "FAILED: $*" >&2
	exit 1
}

# run_cases case …: each is a function; a failure is reported and the others still run.
run_cases() {
	local c t0
	for c in "$@"; do
		t0=$SECONDS
		if "$c"; then
			echo "ok    $c ($((SECONDS - t0)) s)"
		else
			echo "FAIL  $c ($((SECONDS - t0)) s)"
			LAB_FAILED=1
		fi
	done
	return $LAB_FAILED
}

wait_for() {
	local end=$((SECONDS + $1)) step=0.02
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep $step
		step=0.1
	done
}

# ---- processes

# A process and all its descendants, youngest last.
tree() {
	local p
	echo "$1"
	for p in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
		tree "$p"
	done
}

trees() {
	local p
	for p in "$@"; do
		[ ! -e "/proc/$p" ] || tree "$p"
	done
}

gone() {
	local p
	for p in "$@"; do
		[ ! -e "/proc/$p/stat" ] || [ "$(awk '{ print $3 }' "/proc/$p/stat" 2>/dev/null)" = Z ] || return 1
	done
}

# User and system time of a process and its descendants, the reaped ones included, in clock ticks.
cpu_ticks() {
	local p
	for p in $(tree "$1"); do
		sed 's/.*) //' "/proc/$p/stat" 2>/dev/null
	done | awk '{ s += $12 + $13 + $14 + $15 } END { print s + 0 }'
}

# Proportional set size of a process and its descendants, in kB.
pss_kb() {
	local p
	for p in $(tree "$1"); do
		cat "/proc/$p/smaps_rollup" 2>/dev/null
	done | awk '/^Pss:/ { s += $2 } END { print s + 0 }'
}

# ---- the daemon of a node

daemon_of() {
	local v=CT_DAEMON_${1//-/_}
	echo "${!v:-${CT_DAEMON:-$CT_BIN/conntrackd}}"
}

is_ours() {
	! "$(daemon_of "$1")" -v 2>/dev/null | grep -q 'Connection tracking userspace daemon v1\.4\.[0-8]'
}

# daemon_conf NODE PEER [MODE [MODE-OPTIONS [GENERAL-LINES [OPTIONS-LINES]]]]; TRANSPORT picks udp4 (default), udp6, mcast4, tcp4.
daemon_conf() {
	local node=$1 self other=2
	self=$(lab_number "$node")
	[ "$self" != 2 ] || other=1
	cat >"$LAB_DIR/$node.conf" <<-CONF
		Sync {
			Mode ${3:-FTFW} {
				${4:-}
			}
			$(daemon_link $self $other)
			Options {
				${6:-TCPWindowTracking Off
				ExpectationSync On}
			}
		}
		General {
			Systemd off
			HashSize 65536
			HashLimit 2097152
			LogFile $LAB_DIR/$node.log
			LockFile $LAB_DIR/$node.lock
			UNIX {
				Path $LAB_DIR/$node.sock
			}
			NetlinkBufferSize 2097152
			NetlinkBufferSizeMaxGrowth 67108864
			NetlinkOverrunResync 2
			${5:-}
		}
	CONF
}

daemon_link() {
	case ${TRANSPORT:-udp4} in
	udp4) echo "UDP { IPv4_address 10.99.0.$1 IPv4_Destination_Address 10.99.0.$2" ;;
	udp6) echo "UDP { IPv6_address fd99::$1 IPv6_Destination_Address fd99::$2" ;;
	tcp4) echo "TCP { IPv4_address 10.99.0.$1 IPv4_Destination_Address 10.99.0.$2" ;;
	mcast4) echo "Multicast { IPv4_address 225.0.0.50 IPv4_interface 10.99.0.$1 Group 3780" ;;
	esac
	[ "${TRANSPORT:-}" = mcast4 ] || echo "Port 3780"
	echo "Interface link0 SndSocketBuffer 4194304 RcvSocketBuffer 4194304 Checksum on }"
}

# Starts it in the foreground below us and waits until it answers.
daemon_start() {
	local node=$1
	in_ns_bg "$node" "$LAB_DIR/$node.out" "$(daemon_of "$node")" -C "$LAB_DIR/$node.conf"
	DAEMON_PID[$node]=$BG
	wait_for "${2:-20}" daemon_up "$node" "$BG" || die "$node: the daemon does not answer"
}

daemon_up() {
	[ -e "/proc/$2" ] && ctl "$1" -s runtime
}

daemon_stop() {
	local p=${DAEMON_PID[$1]}
	kill -TERM "$p" 2>/dev/null
	wait "$p" 2>/dev/null
}

# kill -9 of every process of it. The lock file that 1.4.7 leaves behind is removed, as its users have to.
daemon_kill() {
	local list
	list=$(tree "${DAEMON_PID[$1]}")
	{ kill -KILL $list; wait "${DAEMON_PID[$1]}"; } 2>/dev/null
	wait_for 10 gone $list || die "$1: processes survive SIGKILL"
	is_ours "$1" || rm -f "$LAB_DIR/$1.lock"
}

ctl() {
	local node=$1
	shift
	in_ns "$node" timeout "${CTL_TIMEOUT:-120}" "$(daemon_of "$node")" -C "$LAB_DIR/$node.conf" "$@"
}

# ---- pictures of tables

# One flow a line: no ages, timeouts, counters; sorted. GRE keys go too: version 1 of the protocol does not carry them.
canon() {
	sed -E 's/ \[active since [^]]*\]//; s/ \[expires in [^]]*\]//; s/ (use|packets|bytes|delta-time|secctx)=[^ ]*//g
		s/ (src|dst)key=[^ ]*//g; s/^([a-z0-9-]+ +[0-9]+) [0-9]+ /\1 /; s/ mark=0( |$)/\1/; s/ +$//; s/ +/ /g' | sort
}

# Only what an external cache knows of a flow: no reply tuple.
canon_external() {
	local tuple='src=[^ ]+ dst=[^ ]+( sport=[0-9]+ dport=[0-9]+| type=[0-9]+ code=[0-9]+ id=[0-9]+)?'
	canon | sed -E "s/ \[UNREPLIED\]//; s/($tuple) $tuple/\1/" | sort
}

# The link's own traffic goes.
without_link() {
	grep -v -e ' src=10.99.0.' -e ' src=fd99:' -e ' src=fe80'
}

# The kernel table without the link's own traffic.
flows_kernel() {
	local f
	for f in ipv4 ipv6; do
		in_ns "$1" "$CONNTRACK" -L -f $f 2>/dev/null
	done | without_link | canon
}

flows_cache() {
	ctl "$1" "$2" | without_link | canon_external
}

count_kernel() {
	in_ns "$1" cat /proc/sys/net/netfilter/nf_conntrack_count
}

# cache_counter NODE NAME: "current active connections" of cache internal or external.
cache_counter() {
	ctl "$1" -s | awk -v c="cache $2:" '$0 == c { on = 1 } on && /current active connections/ { print $NF; exit }'
}

# What A has in its kernel stands in B's external cache, and nothing else.
replicated() {
	local left right
	left=$(flows_kernel "$1" | canon_external)
	right=$(flows_cache "$2" -e)
	[ "$left" = "$right" ]
}

replicated_or_show() {
	wait_for "${3:-30}" replicated "$1" "$2" && return
	diff <(flows_kernel "$1" | canon_external) <(flows_cache "$2" -e) | head -n 20 >&2
	return 1
}

CONNTRACK=$CT_BIN/conntrack
[ -x "$CONNTRACK" ] || CONNTRACK=conntrack
CTBLAST=${CTBLAST:-$CT_BUILD/test/ctblast}
