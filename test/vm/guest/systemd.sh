# systemd.sh: runs in the guest before systemd does: a target of our own, so that nothing starts that this machine's
# administrator has enabled, with the job as its only service.
set -e
rm -f /.dockerenv # or it takes the guest for a container, and does not read the kernel's command line
units=/etc/systemd/system
mkdir -p $units
cat >$units/ct-vm.target <<-UNIT
	[Unit]
	Requires=basic.target
	Wants=ct-vm-job.service
	After=basic.target
	AllowIsolate=yes
UNIT
cat >$units/ct-vm-job.service <<-UNIT
	[Unit]
	DefaultDependencies=no
	After=basic.target
	[Service]
	Type=oneshot
	Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	ExecStart=/bin/bash /ctl/run-job.sh
	ExecStopPost=/bin/systemctl poweroff --force --force
UNIT
for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service \
	systemd-timesyncd.service systemd-networkd.service systemd-binfmt.service systemd-firstboot.service \
	systemd-sysusers.service systemd-journal-flush.service systemd-random-seed.service systemd-update-utmp.service \
	apparmor.service kmod-static-nodes.service modprobe@.service dev-hugepages.mount dev-mqueue.mount \
	sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount timers.target; do
	ln -sf /dev/null $units/$unit
done
mkdir -p /etc/tmpfiles.d # or it empties /tmp at boot, where the tree under test may be
ln -sf /dev/null /etc/tmpfiles.d/tmp.conf
rm -f /etc/fstab
touch /etc/fstab
[ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
