#!/bin/bash
# conntrackd --check and --print: the worker in its jail says and prints what conf_check does, whoever calls it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
conf_check=$CT_BUILD/test/conf_check
rc=0
export ASAN_OPTIONS=detect_leaks=0 # a sanitized build cannot look at a process that is not dumpable

fail() {
	echo "check_print: $*"
	rc=1
}

# Runs conntrackd as this user, as nobody, or as the root of a container.
as() {
	local user=$1
	shift
	if [ "$user" = nobody ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups -- "$conntrackd" "$@"
	elif [ "$user" = part-root ]; then
		setpriv --bounding-set=-sys_admin -- "$conntrackd" "$@"
	else
		"$conntrackd" "$@"
	fi
}

# Links over TCP are read, but this version does not start with them.
starts() {
	grep -q '^S\(ync\|tats\)' "$1" && ! grep -q 'TCP {$' "$1"
}

try() {
	local user=$1 file
	for file in "$scratch"/examples/*.conf; do
		as "$user" --print -C "$file" >"$scratch/printed" 2>"$scratch/said" || fail "$user $file: $(cat "$scratch/said")"
		cmp -s "$scratch/printed" "${file%.conf}.printed" || fail "$user $file: prints something else"
		grep -qF "$(basename "$file")" "$scratch/said" || ! "$conf_check" -q "$file" 2>&1 | grep -q . ||
			fail "$user $file: warnings are missing"
		as "$user" --check -C "$file" >"$scratch/printed" 2>"$scratch/said" || fail "$user --check $file: $(cat "$scratch/said")"
		starts "$file" || grep -q '\[warning\].*this version does not start with it: ' "$scratch/said" ||
			fail "$user --check $file: not said that this version does not start with it"
		[ -s "$scratch/printed" ] && fail "$user --check $file prints"
	done
	as "$user" --check -C "$scratch/bad.conf" 2>"$scratch/said"
	[ $? -eq 1 ] || fail "$user: a wrong file is not status 1"
	grep -q "bad.conf:2:1: syntax error at .HashSiz'.*did you mean .HashSize'?" "$scratch/said" || fail "$(cat "$scratch/said")"
	as "$user" --check -C "$scratch" 2>/dev/null
	[ $? -eq 2 ] || fail "$user: a directory is not status 2"
	as "$user" --check -C "$scratch/none.conf" 2>"$scratch/said"
	[ $? -eq 1 ] || fail "$user: no file is not status 1"
	grep -q "can't open config file" "$scratch/said" || fail "$(cat "$scratch/said")"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
cp -r "$CT_BIN" "$scratch/bin" && cp -r "$here/examples" "$scratch" || exit 1 # to where anybody may go
conntrackd=$scratch/bin/conntrackd
printf 'General {\nHashSiz 5\n}\n' >"$scratch/bad.conf"
if [ "$(id -u)" -eq 0 ]; then
	getent passwd _ctd-worker >/dev/null || { echo "needs the user _ctd-worker (systemd-sysusers)"; exit 77; }
	try root
	try part-root
	try nobody
else
	try "$(id -un)"
fi
exit $rc
