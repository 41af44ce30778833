# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034
# Debian kernels for the test VM: fetched, unpacked (never installed) and made ready to boot.
# Sourced by vm, which sets vm_home (the cache) and vm_dir (this folder) and defines die.
#
# Cache, one folder per kernel NAME:
#   NAME/tree/          the unpacked package (boot/, lib/modules/VERSION/)
#   NAME/version        VERSION, as in lib/modules
#   NAME/vmlinux        the uncompressed ELF image: QEMU enters it by PVH, which saves the guest the seconds
#                       that unpacking a bzImage takes under emulation
#   NAME/initramfs-SUM  static busybox, a few modules and initramfs-init; SUM covers what it is made from

# The modules that the first stage needs before the host's files are there.
readonly INITRAMFS_MODULES="virtio_pci virtio_console virtio-rng virtio_blk ext4 9pnet_virtio 9p overlay"

# kernel_metapackage NAME: the Debian package that depends on the newest kernel of that series
kernel_metapackage() {
	case $1 in
	6.1) echo linux-image-amd64 ;; # Debian 12's own
	*) echo "linux-image-$1-amd64" ;;
	esac
}

# kernel_package NAME: the package that holds the kernel, by the package lists at hand
kernel_package() {
	apt-cache depends "$(kernel_metapackage "$1")" 2>/dev/null |
		sed -n "s/^ *Depends: \(linux-image-${1//./\\.}.*\)/\1/p" | head -n 1
}

# kernel_download NAME DIR: puts the .deb into DIR; refreshes the package lists once when they are missing or old
kernel_download() {
	local package attempt
	for attempt in 1 2; do
		package=$(kernel_package "$1")
		# apt's own sandbox user cannot write to a root-owned folder, hence the option
		[ -n "$package" ] &&
			(cd "$2" && apt-get -q -o APT::Sandbox::User=root download "$package" >"$2/log" 2>&1) && return 0
		[ "$attempt" = 1 ] || break
		apt-get -q update >"$2/log" 2>&1 || break
	done
	[ -n "$package" ] ||
		die "no package for kernel $1: $(kernel_metapackage "$1") is not in the package lists"
	cat "$2/log" >&2
	die "package $package: download refused by apt-get"
}

# kernel_extract_elf BZIMAGE OUT: finds the compressed vmlinux inside a bzImage by its magic bytes
kernel_extract_elf() {
	local name magic tool offset
	while read -r name magic tool; do
		for offset in $(LC_ALL=C grep -aboP "$magic" "$1" | cut -d: -f1 | tr '\n' ' '); do
			# what follows the compressed part makes the tools complain: judge by the result
			tail -c "+$((offset + 1))" "$1" | $tool >"$2" 2>/dev/null
			[ "$(head -c 4 "$2" | tail -c 3)" = ELF ] && return 0
		done
	done <<-'T'
		xz \xfd7zXZ\x00 xz -dc
		zstd \x28\xb5\x2f\xfd zstd -qdc
		gzip \x1f\x8b\x08 gzip -dc
	T
	die "$1: no vmlinux found in it (tried up to $name)"
}

# kernel_setup NAME: makes NAME bootable; does nothing when it already is
kernel_setup() {
	local dir=$vm_home/$1 work version
	[ ! -e "$dir/vmlinux" ] || return 0
	[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || die "the test VM needs Debian on amd64"
	mkdir -p "$vm_home" || die "cannot create $vm_home"
	exec 9>"$vm_home/lock"
	flock 9
	if [ ! -e "$dir/vmlinux" ]; then
		echo "vm: fetching kernel $1" >&2
		work=$vm_home/.$1.$$
		setup_dir=$work # removed on exit when something below fails
		mkdir -p "$work/tree"
		kernel_download "$1" "$work"
		dpkg-deb -x "$work"/*.deb "$work/tree" || die "kernel $1: package not unpacked"
		version=$(ls "$work/tree/lib/modules")
		[ -n "$version" ] || die "kernel $1: no modules in its package"
		depmod -b "$work/tree" "$version" || die "kernel $1: depmod"
		kernel_extract_elf "$work/tree/boot/vmlinuz-$version" "$work/vmlinux"
		echo "$version" >"$work/version"
		rm -f "$work"/*.deb "$work/log"
		rm -rf "$dir"
		mv "$work" "$dir" || die "kernel $1: cannot move it to $dir"
		setup_dir=
	fi
	exec 9>&-
}

# kernel_initramfs NAME: (in a subshell, whose EXIT trap it sets) prints the path of its initramfs, made when it is not there or outdated
kernel_initramfs() {
	local dir=$vm_home/$1 busybox sum image work version module file
	busybox=$(command -v busybox) || die "busybox is not installed (package busybox-static)"
	sum=$(cat "$vm_dir/initramfs-init" "$vm_dir/kernel.sh" "$busybox" | sha256sum | cut -c 1-16)
	image=$dir/initramfs-$sum
	if [ ! -e "$image" ]; then
		version=$(<"$dir/version")
		work=$(mktemp -d "$dir/.initramfs.XXXXXX") || die "cannot write to $dir"
		# shellcheck disable=SC2064 # the local name is gone by then
		trap "rm -rf '$work' '$work.img'" EXIT
		find "$dir" -name 'initramfs-*' -mtime +1 -delete
		mkdir -p "$work"/{bin,modules,proc,sys,dev,lower,upper,root}
		cp "$busybox" "$work/bin/busybox"
		cp "$vm_dir/initramfs-init" "$work/init"
		chmod 755 "$work/init"
		for module in $INITRAMFS_MODULES; do
			modprobe -d "$dir/tree" -S "$version" --show-depends "$module" 2>/dev/null
		done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
			module=${file##*/}
			module=${module%%.ko*}.ko
			case $file in
			*.xz) xz -dc "$file" ;;
			*.zst) zstd -qdc "$file" ;;
			*) cat "$file" ;;
			esac >"$work/modules/$module"
			echo "$module" >>"$work/modules/order"
		done
		(cd "$work" && find . | cpio -o -H newc --quiet) >"$work.img" || die "initramfs not written to $dir"
		mv "$work.img" "$image" || die "initramfs not written to $dir"
	fi
	echo "$image"
}
