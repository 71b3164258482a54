# common.sh: for the jobs in this folder; sourced. Tools of the laboratory suites, inside the guest.
set -u
. "$CT_SRC/test/lib/netns.sh"
export TMPDIR=/tmp
cd /tmp || exit 1
echo "guest: $(uname -r) ($(uname -v)), up after $(cat /ctl/boot-seconds) s"

skip() {
	die "in the guest nothing may be missing: $*"
}

# passes COMMAND …: a test of the host's suites. In the guest nothing may be missing that would be a reason to skip.
passes() {
	local said=/tmp/passes.$BASHPID
	"$@" >"$said" 2>&1 && ! grep -i 'skipped\|SKIP:' "$said" && return
	grep '^FAIL' "$said"
	tail -n 60 "$said"
	return 1
}

# Nothing in the kernel's log that it should not have had to say: denials, killed processes, bugs. Two programs are meant to
# be killed.
kernel_is_content() {
	! dmesg | grep -v 'comm="jail_probe"\|queue_double' | grep -E 'apparmor="DENIED"|type=1326|BUG:|WARNING:|Oops|segfault'
}
