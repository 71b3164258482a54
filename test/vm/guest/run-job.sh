# run-job.sh: runs the job in the guest and leaves log, kernel messages and, when all that is written, the status.
cut -d ' ' -f 1 /proc/uptime >/ctl/boot-seconds
. /ctl/env
eval "$(</ctl/job)" >/ctl/job.log 2>&1 </dev/null
rc=$?
dmesg >/ctl/job.dmesg
echo $rc >/ctl/job.rc
sync
