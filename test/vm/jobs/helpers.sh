#!/bin/bash
# helpers.sh FOLDER: the queues of user-space helpers, with the programs of FOLDER.
. "$CT_SRC/test/vm/jobs/common.sh"
python3 "$CT_SRC/test/vm/jobs/queue.py" "$1" "$CT_BIN/conntrack" "$CT_BIN/nfct" || exit 1
run_cases kernel_is_content
