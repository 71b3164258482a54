#!/bin/bash
# installed.sh PREFIX [DESTDIR]: a smoke run of an installed tree, which is below DESTDIR; test/check calls it with scratch folders.
set -u
prefix=${2:-}$1
destdir=${2:-}
rc=0

fail() {
	echo "installed: $*" >&2
	rc=1
}

for program in $(cd "$prefix" && ls -d bin/* sbin/* 2>/dev/null); do
	case ${program##*/} in
	ctd-*) continue ;; # workers, started by the daemon alone
	conntrackctl) flag=--version ;;
	nfct) flag=version ;;
	*) flag=-V ;;
	esac
	[ "${program##*/}" = conntrackd ] && flag=-v
	timeout 10 "$prefix/$program" $flag >/dev/null </dev/null || fail "$program $flag: status $?"
done
for page in $(find "$prefix/share/man" -type f 2>/dev/null); do
	mandoc -T lint -W error "$page" >/dev/null || fail "$page does not format"
done
# What names programs and files names those of this tree.
unit=$prefix/lib/systemd/system/conntrackd.service
started=$(sed -n "s/^ExecStart=[-+!:@]*\([^ ]*\) .*/\1/p" "$unit")
[ -x "$destdir$started" ] || fail "$unit: ExecStart: there is no $started"
for profile in "$prefix"/share/doc/*/apparmor/conntrackd; do
	grep -qF "profile conntrackd $started {" "$profile" || fail "$profile is not that of $started"
done
hook=$(sed -n 's/^ExecStart=.* -C \(.*\)\/conntrackd.conf$/\1/p' "$unit")/primary-backup.sh
[ -x "$destdir$hook" ] || fail "there is no $hook"
for program in conntrackd conntrackctl; do
	named=$(sed -n "s/^: .*:=\(.*\/$program\)}\"$/\1/p" "$destdir$hook")
	[ -n "$named" ] && [ -x "$destdir$named" ] || fail "$hook: there is no '$named'"
done
exit $rc
