#!/bin/bash
# kernel.sh: what is said of the daemon and the tools holds on Debian's kernel as well, with jails as that kernel has them.
. "$CT_SRC/test/vm/jobs/common.sh"

jails_hold() {
	passes python3 "$CT_SRC/test/jail/jail.py" "$CT_BUILD/test/jail_probe" "$CT_BUILD/test/wall"
}

# nfnetlink is there, as with any nftables rule set, but not what speaks of connections. Runs before anything has loaded that.
without_ctnetlink_it_does_not_start() {
	local rc
	modprobe nf_tables && modprobe nf_conntrack && ! grep -q '^nf_conntrack_netlink ' /proc/modules || return
	lab_open ctnetlink
	lab_node fw-a
	daemon_conf fw-a x
	in_ns fw-a ip link add link0 type dummy && in_ns fw-a ip link set link0 up && lab_addr fw-a link0 10.99.0.1/24
	echo /nonexistent >/proc/sys/kernel/modprobe
	in_ns fw-a timeout 60 "$CT_BIN/conntrackd" -C "$LAB_DIR/fw-a.conf" >/tmp/no-ctnetlink 2>&1
	rc=$?
	echo /sbin/modprobe >/proc/sys/kernel/modprobe
	[ $rc -eq 1 ] && grep -q 'no ctnetlink kernel support? (modprobe nf_conntrack_netlink)' /tmp/no-ctnetlink && return
	cat /tmp/no-ctnetlink
	return 1
}

# A daemon that would rather not start than run without landlock.
landlock_is_there() {
	lab_open landlock
	lab_node fw-a
	daemon_conf fw-a x NOTRACK "" "LandlockRequired on"
	sed -i '/^\s*UDP/s/10\.99\.0\.2/10.99.0.3/' "$LAB_DIR/fw-a.conf"
	in_ns fw-a ip link add link0 type dummy && in_ns fw-a ip link set link0 up && lab_addr fw-a link0 10.99.0.1/24
	daemon_start fw-a && ! grep -q 'no landlock' "$LAB_DIR/fw-a.log"
}

replication_works() {
	passes "$CT_SRC/test/interop/pair.sh" ours ours udp4
}

flows_are_read_and_written() {
	passes "$CT_BUILD/test/flow_kernel"
}

flows_live_on_after_a_take_over() {
	passes "$CT_SRC/test/unit/flow/takeover.sh" "$CT_BUILD/test/flowcopy"
}

helpers_are_registered_as_ever() {
	passes python3 "$CT_SRC/test/vm/jobs/nfct_helper.py" /usr/sbin/nfct "$CT_BIN/nfct"
}

# Newer kernels have no DCCP any more.
timeouts_of_dccp_are_as_ever() {
	passes python3 "$CT_SRC/test/cli/ctdiff.py" nfct --only dccp
}

# Two processors: two things at a time. The registry of helpers is one for the kernel, so its test does not run beside those
# that use the kernel's own FTP helper.
rc=0
(run_cases without_ctnetlink_it_does_not_start) || rc=1
run_cases helpers_are_registered_as_ever jails_hold &
run_cases replication_works timeouts_of_dccp_are_as_ever || rc=1
wait $! || rc=1
run_cases flows_are_read_and_written flows_live_on_after_a_take_over landlock_is_there kernel_is_content && exit $rc
