#!/bin/bash
# installed.sh PREFIX: a smoke run of an installed tree; test/check calls it with a scratch prefix.
set -u
prefix=$1
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
exit $rc
