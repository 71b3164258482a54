#!/bin/bash
# hardened.sh BUILD: every program that BUILD/bin holds is as the release preset promises; test/check calls it.
set -u
build=$1
rc=0

fail() {
	echo "hardened: $*" >&2
	rc=1
}

# has PROGRAM WHAT PATTERN: readelf says so.
has() {
	grep -q -- "$3" <<<"$elf" || fail "${1##*/}: no $2"
}

for program in "$build"/bin/*; do
	elf=$(readelf -hldW "$program") symbols=$(nm -D --undefined-only "$program") code=$(objdump -d "$program")
	has "$program" 'position-independent executable' '^ *Type: *DYN'
	has "$program" 'relocations that are read-only' 'GNU_RELRO'
	has "$program" 'binding at start' 'BIND_NOW\|Flags:.*NOW'
	grep -q 'GNU_STACK.* RW ' <<<"$elf" || fail "${program##*/}: an executable stack"
	! grep -q 'LOAD.* RWE ' <<<"$elf" || fail "${program##*/}: memory that is both writable and executable"
	grep -q '__stack_chk_fail' <<<"$symbols" || fail "${program##*/}: no stack protector"
	grep -q '_chk@' <<<"$symbols" || fail "${program##*/}: no FORTIFY_SOURCE"
	[ "$(uname -m)" != x86_64 ] || grep -A 1 '<main>:$' <<<"$code" | grep -q endbr64 || fail "${program##*/}: no CET"
done
for flag in -fstack-protector-strong -fstack-clash-protection '-D_FORTIFY_SOURCE=[23]' '-fPI[CE]'; do
	without=$(grep '"command":' "$build/compile_commands.json" | grep -vc -- " $flag ")
	[ "$without" = 0 ] || fail "$without files are compiled without $flag"
done
exit $rc
