# lab.sh: the demonstration's network and keepalived; sourced by test/demo/run on top of test/lib/netns.sh.
#
#	client ── inside ──┬── fw-a ──┬── outside ── server		VIPs 10.1.0.1, fd01::1 inside,
#	                   └── fw-b ──┘					10.2.0.1, fd02::1 outside
#	               fw-a ── link0 ── fw-b  (10.99.0.0/24)

demo_network() {
	local fw n=2
	lab_node client server switch fw-a fw-b
	for net in inside outside; do
		in_ns switch ip link add "$net" type bridge mcast_snooping 0
		in_ns switch ip link set "$net" up
	done
	demo_port client eth0 inside 10.1.0.10/24 fd01::10/64
	demo_port server eth0 outside 10.2.0.10/24 fd02::10/64
	for fw in fw-a fw-b; do
		demo_port $fw inside inside 10.1.0.$n/24 fd01::$n/64
		demo_port $fw outside outside 10.2.0.$n/24 fd02::$n/64
		n=3
		demo_firewall $fw
	done
	lab_link fw-a fw-b
	demo_route client 10.1.0.1 fd01::1
	demo_route server 10.2.0.1 fd02::1
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

# A firewall that means it: nothing passes that it has not seen from its first packet. Port 7002 leaves with the
# outside VIP as its source, port 7003 of the inside VIP leads to the server.
demo_firewall() {
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv6.conf.all.accept_dad=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.ip_nonlocal_bind=1
	in_ns "$1" nft -f "$CT_SRC/test/demo/ruleset.nft" || die "nft refuses the ruleset"
	in_ns "$1" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
}

demo_keepalived() {
	local node=$1 priority=$2 hook=$3
	sed -e "s|@PRIORITY@|$priority|; s|@HOOK@|$hook|" "$CT_SRC/test/demo/keepalived.conf" >"$LAB_DIR/$node.keepalived"
	in_ns_bg "$node" "$LAB_DIR/$node.keepalived.log" keepalived -n -l -D -P -f "$LAB_DIR/$node.keepalived" \
		-p "$LAB_DIR/$node.ka.pid" -r "$LAB_DIR/$node.vrrp.pid"
	KEEPALIVED[$node]=$BG
}

# What keepalived runs at each change of role: the hook of conf/ between two time stamps.
demo_hook() {
	local node=$1 sync=$2
	cat >"$LAB_DIR/$node.notify" <<-HOOK
		#!/bin/bash
		echo "\$EPOCHREALTIME \$1 begins" >>$LAB_DIR/$node.roles
		export CONNTRACKD_BIN=$(daemon_of "$node") CONNTRACKCTL_BIN=$CT_BIN/conntrackctl CONNTRACKD_CONFIG=$LAB_DIR/$node.conf
		[ $sync = 0 ] || "$CT_SRC/conf/primary-backup.sh" "\$1" >>$LAB_DIR/$node.hook.log 2>&1
		echo "\$EPOCHREALTIME \$1 done" >>$LAB_DIR/$node.roles
	HOOK
	chmod 755 "$LAB_DIR/$node.notify"
}
