# lab.sh: the network and keepalived of the demonstration and of test/ha; sourced on top of test/lib/netns.sh.
#
#	client ── inside ──┬── fw-a ──┬── outside ── server		VIPs 10.1.0.1, fd01::1 inside,
#	                   └── fw-b ──┘					10.2.0.1, fd02::1 outside
#	               fw-a ── link0 ── fw-b  (10.99.0.0/24)

# demo_network [LINK [FIREWALL …]]: LINK is the function that joins the firewalls; lab_link by default.
demo_network() {
	local link=${1:-lab_link} fw n=2
	shift
	[ $# -gt 0 ] || set -- fw-a fw-b
	lab_node client server switch "$@"
	for net in inside outside; do
		in_ns switch ip link add "$net" type bridge mcast_snooping 0
		in_ns switch ip link set "$net" up
	done
	demo_port client eth0 inside 10.1.0.10/24 fd01::10/64
	demo_port server eth0 outside 10.2.0.10/24 fd02::10/64
	demo_ends
	for fw; do
		demo_port $fw inside inside 10.1.0.$n/24 fd01::$n/64
		demo_port $fw outside outside 10.2.0.$n/24 fd02::$n/64
		n=$((n + 1))
		demo_firewall $fw
	done
	$link "$@"
	demo_route client 10.1.0.1 fd01::1
	demo_route server 10.2.0.1 fd02::1
}

# The server's second addresses are never a source. Both ends speak SCTP over raw sockets (test/demo/sctp.py); a kernel that has
# SCTP itself would answer it with ABORT.
demo_ends() {
	local end
	lab_addr server eth0 10.2.0.12/24
	in_ns server ip -6 addr add fd02::12/64 dev eth0 nodad preferred_lft 0
	in_ns client sysctl -qw net.ipv4.ping_group_range='0 2147483647'
	for end in client server; do
		in_ns $end nft -f - <<-NFT || die "nft refuses the ends' rule"
			table inet ends {
				chain out {
					type filter hook output priority filter
					meta l4proto sctp @th,96,8 6 drop
				}
			}
		NFT
	done
}

demo_port() {
	local node=$1 dev=$2 bridge=$3
	lab_wire "$node" "$dev" switch "$bridge-$node"
	in_ns switch ip link set "$bridge-$node" master "$bridge"
	shift 3
	lab_addr "$node" "$dev" "$@"
}

demo_route() {
	in_ns "$1" ip route add default via "$2"
	in_ns "$1" ip -6 route add default via "$3"
}

# A firewall that means it: nothing passes that it has not seen from its first packet.
demo_firewall() {
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.all.keep_addr_on_down=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.ip_nonlocal_bind=1
	in_ns "$1" nft -f "$CT_SRC/test/demo/ruleset.nft" || die "nft refuses the ruleset"
	in_ns "$1" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
}

# demo_keepalived NODE PRIORITY HOOK [WORDS]: WORDS go into both instances.
demo_keepalived() {
	local node=$1 priority=$2 hook=$3
	sed -e "s|@PRIORITY@|$priority|; s|@HOOK@|$hook|; s|@WORDS@|${4:-}|" "$CT_SRC/test/demo/keepalived.conf" >"$LAB_DIR/$node.keepalived"
	in_ns_bg "$node" "$LAB_DIR/$node.keepalived.log" keepalived -n -l -D -P -f "$LAB_DIR/$node.keepalived" \
		-p "$LAB_DIR/$node.ka.pid" -r "$LAB_DIR/$node.vrrp.pid"
	KEEPALIVED[$node]=$BG
}

# demo_hook NODE SYNC [SCRIPT]: what keepalived runs at each change of role: the script, or that of conf/, between two time stamps.
demo_hook() {
	local node=$1 sync=$2 script=${3:-$CT_SRC/conf/primary-backup.sh}
	cat >"$LAB_DIR/$node.notify" <<-HOOK
		#!/bin/bash
		echo "\$EPOCHREALTIME \$1 begins" >>$LAB_DIR/$node.roles
		export CONNTRACKD_BIN=$(daemon_of "$node") CONNTRACKCTL_BIN=$(conntrackctl_of "$node") CONNTRACKD_CONFIG=$LAB_DIR/$node.conf
		[ $sync = 0 ] || "$script" "\$1" >>$LAB_DIR/$node.hook.log 2>&1
		echo "\$EPOCHREALTIME \$1 done" >>$LAB_DIR/$node.roles
	HOOK
	chmod 755 "$LAB_DIR/$node.notify"
}

# 1.4.x has the classic requests alone.
conntrackctl_of() {
	if is_ours "$1"; then echo "$CT_BIN/conntrackctl"; else echo /nonexistent; fi
}

# Flows of the firewalls themselves stay at home.
demo_filter() {
	echo "Filter From Userspace { Address Ignore { IPv4_address 127.0.0.1 IPv4_address 10.99.0.0/24 IPv6_address ::1 } }"
}

# ---- streams

# demo_server PORT …
demo_server() {
	in_ns_bg server "$LAB_DIR/server.out" python3 "$CT_SRC/test/demo/streams.py" server "$@"
	wait_for 20 grep -q ready "$LAB_DIR/server.out" || die "the echo server does not start"
}

# demo_client COUNT TARGET …: what is written to descriptor 7 reaches it.
demo_client() {
	local count=$1
	shift
	mkfifo "$LAB_DIR/client.in"
	exec 7<>"$LAB_DIR/client.in"
	in_ns_bg client "$LAB_DIR/client.out" python3 "$CT_SRC/test/demo/streams.py" client "$count" "$LAB_DIR/status" "$@" 0<&7
}

# status now|alive|silent|broken|gap|echoes|stalest, of the client's first line
status() {
	local now alive silent broken gap echoes stalest
	read -r now alive silent broken gap echoes stalest 2>/dev/null <"$LAB_DIR/status" || return 1
	echo "${!1}"
}

# ---- roles and power

role_is() {
	[ "$(tail -n 1 "$LAB_DIR/$1.roles" 2>/dev/null | cut -d' ' -f2-)" = "$2 done" ]
}

# Power gone: every process of the firewall dies at once, its cables are dead.
demo_power_off() {
	local list dev
	list=$(trees "${KEEPALIVED[$1]}" ${DAEMON_PID[$1]:-})
	{ kill -KILL $list; wait "${KEEPALIVED[$1]}" ${DAEMON_PID[$1]:-}; } 2>/dev/null
	for dev in inside outside link0; do
		in_ns "$1" ip link set $dev down
	done
}
