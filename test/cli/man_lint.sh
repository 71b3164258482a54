#!/bin/sh
# Every manual page is clean mdoc: no complaint of mandoc, style included. Whether the pages that SEE ALSO names are
# installed here is not the point, so those lines do not count. Nor does that pages say Linux: groff takes silence for BSD.
command -v mandoc >/dev/null || { echo "SKIP: mandoc is not installed"; exit 77; }
cd "${CT_SRC:?}/doc" || exit 1
set -- *.[58]
[ -e "$1" ] || { echo "no manual pages"; exit 1; }
bad=$(mandoc -Tlint "$@" 2>&1 | grep -v -e 'lacks .* entry, run makewhatis' -e 'referenced manual not found' \
	-e 'operating system explicitly specified: Os Linux')
[ -z "$bad" ] || { echo "$bad"; exit 1; }
echo "$# pages are clean"
