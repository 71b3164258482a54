# debian_kernel.sh: Debian's current kernel, unpacked but not installed, and the initramfs for it; sourced by run-vm.
# Everything lies in a cache folder, one folder a version, made once: 75 MB to download, about 130 MB of disk.

: "${CT_VM_CACHE:=${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/openconntrack-vm}"

# Leaves in $KERNEL a folder with vmlinux and lib/modules/VERSION, in $KERNEL_VERSION its name.
get_kernel() {
	local package
	mkdir -p "$CT_VM_CACHE" || die "cannot make $CT_VM_CACHE (CT_VM_CACHE names another folder)"
	exec 9>"$CT_VM_CACHE/lock"
	flock 9
	package=$(kernel_package) || exit 125
	KERNEL_VERSION=${package#linux-image-}
	KERNEL=$CT_VM_CACHE/$KERNEL_VERSION
	[ -e "$KERNEL/complete" ] || fetch_kernel "$package"
	exec 9>&-
}

# What the meta package stands for today. A machine that has forgotten its package lists fetches them, if it may.
kernel_package() {
	current_package || { refresh_lists && current_package; } ||
		die "apt knows no linux-image-amd64: no package lists, or no way to fetch them"
}

current_package() {
	apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*-amd64\)$/\1/p' | grep -m 1 .
}

refresh_lists() {
	[ "$(id -u)" = 0 ] && apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 update >&2
}

fetch_kernel() {
	local work
	work=$(mktemp -d "$CT_VM_CACHE/new.XXXXXX") || exit 125
	echo "run-vm: fetching $1 into $CT_VM_CACHE" >&2
	download "$work" "$1" || { refresh_lists && download "$work" "$1"; } ||
		{ rm -rf "$work"; die "cannot download $1: the tests in the emulated machine need it"; }
	if ! unpack_kernel "$work"; then
		rm -rf "$work"
		die "cannot unpack $1"
	fi
	rm -rf "$work"/*.deb "$KERNEL"
	touch "$work/complete"
	chmod 755 "$work"
	mv "$work" "$KERNEL"
}

download() {
	(cd "$1" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$2" >&2)
}

# Modules of devices that no emulated machine has stay out: they are two thirds of the package.
unpack_kernel() {
	local work=$1 modules=./lib/modules/$KERNEL_VERSION
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work" --wildcards --no-wildcards-match-slash \
		"./boot/vmlinuz-*" "$modules/modules.*" "$modules/kernel/arch" "$modules/kernel/crypto" "$modules/kernel/fs" \
		"$modules/kernel/lib" "$modules/kernel/net" \
		"$modules/kernel/drivers/virtio" "$modules/kernel/drivers/net/*.ko" || return
	depmod -b "$work" "$KERNEL_VERSION" && decompress "$work/boot/vmlinuz-$KERNEL_VERSION" "$work/vmlinux"
}

# The kernel proper, an ELF that QEMU starts at once; vmlinuz would spend seconds unpacking itself under emulation.
# xz complains about what stands behind its stream, after it has written all of it.
decompress() {
	local at
	at=$(LC_ALL=C grep -obUaP '\xfd7zXZ\x00' "$1" | head -n 1 | cut -d : -f 1)
	[ -n "$at" ] || return
	tail -c +$((at + 1)) "$1" | xz -dc 2>/dev/null >"$2"
	[ "$(head -c 4 "$2" | tail -c 3)" = ELF ]
}

# modules NAME …: their files with what they depend on, in load order.
module_files() {
	local m
	for m in "$@"; do
		modprobe -d "$KERNEL" -S "$KERNEL_VERSION" --show-depends $m | awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++'
}

make_initramfs() {
	local root=$scratch/initramfs n=100 file
	mkdir -p "$root"/{bin,dev,proc,sys,host,layer,ov,ctl,newroot,mods}
	cp "$(command -v busybox)" "$root/bin/busybox" && install -m 755 "$here/guest/init" "$root/init" || exit 125
	for file in mount mkdir insmod cat chroot switch_root; do
		ln -s busybox "$root/bin/$file"
	done
	for file in $(module_files virtio_pci 9pnet_virtio 9p overlay); do
		cp "$file" "$root/mods/$n-${file##*/}" || exit 125
		n=$((n + 1))
	done
	[ $n -gt 100 ] || die "the kernel has no modules for 9p"
	(cd "$root" && find . | cpio -o -H newc --quiet >"$scratch/initrd") || die "cannot pack the initramfs"
}
