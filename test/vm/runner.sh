#!/bin/bash
# runner.sh: what run-vm says of a job that succeeds, fails, panics or does not end, and that it leaves nothing behind.
set -u
run_vm=$(dirname "$0")/run-vm
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# ends STATUS SECONDS COMMAND: the job is that command; what it printed, and run-vm about it, is in $dir/out.
ends() {
	local want=$1 got
	printf '%s\n' "$3" >"$dir/job.sh"
	TMPDIR=$dir "$run_vm" -t "$2" "$dir/job.sh" 'two words' >"$dir/out" 2>&1
	got=$?
	[ $got -eq "$want" ] && [ "$(ls "$dir")" = "$(printf 'job.sh\nout')" ] && return
	echo "FAIL  status $got, not $want: $3"
	tail -n 20 "$dir/out"
	ls "$dir"
	failed=1
}

ends 7 60 'echo "$1" on $(uname -v); touch /etc/x /ctl/x && [ "$(id -u)" = 0 ] && exit 7'
grep -q '^two words on .*Debian' "$dir/out" || { echo "FAIL  the job's words are lost"; failed=1; }
ends 125 60 'echo c >/proc/sysrq-trigger; sleep 60'
grep -q 'Kernel panic\|BUG:' "$dir/out" || { echo "FAIL  the panic is not shown"; failed=1; }
ends 124 10 'sleep 60'
[ ! -e /etc/x ] || { echo "FAIL  the guest has written here"; failed=1; }
exit $failed
