# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# systemd as PID 1 of the test VM (vm -s); sourced by stage2. Of the host's units only a short list is visible,
# so that nothing of the host's own services starts and the boot stays short.

# What basic.target, D-Bus, logind, transient units and user managers need.
readonly SYSTEMD_UNITS="basic.target sysinit.target sockets.target timers.target paths.target slices.target
	shutdown.target umount.target final.target local-fs.target local-fs-pre.target swap.target
	emergency.target rescue.target poweroff.target reboot.target systemd-poweroff.service
	systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket
	dbus.socket dbus.service systemd-logind.service dbus-org.freedesktop.login1.service
	user@.service user-runtime-dir@.service user.slice user-.slice.d machine.slice system.slice.d
	multi-user.target network.target network-online.target nss-user-lookup.target remote-fs.target
	systemd-user-sessions.service time-set.target time-sync.target"

exec_systemd() {
	local units=/run/kist-vm-units session='' unit uid
	mkdir -p $units /run/systemd/system /run/systemd/transient /run/kist-vm-none /run/dbus
	for unit in $SYSTEMD_UNITS; do
		[ ! -e "/lib/systemd/system/$unit" ] || cp -a "/lib/systemd/system/$unit" $units/
	done
	if [ -n "$vm_user" ]; then
		uid=$(id -u "$vm_user")
		session="User=$vm_user
PAMName=login
Environment=XDG_RUNTIME_DIR=/run/user/$uid DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus"
	fi
	cat >$units/kist-vm.service <<-U
		[Unit]
		Requires=dbus.socket
		Wants=systemd-logind.service
		After=basic.target dbus.socket systemd-logind.service
		SuccessAction=poweroff-force
		FailureAction=poweroff-force
		[Service]
		Type=oneshot
		$session
		Delegate=yes
		TimeoutStartSec=infinity
		ExecStart=/bin/bash -c '/bin/bash $job/command <$job/stdin >/dev/kist-vm.out 2>/dev/kist-vm.err'
		ExecStopPost=+/bin/bash -c 'case \$EXIT_CODE in exited) echo \$EXIT_STATUS;; *) echo 137;; esac >$job/status'
	U
	cat >$units/kist-vm.target <<-'U'
		[Unit]
		Requires=basic.target kist-vm.service
		AllowIsolate=yes
	U
	# in /.dockerenv's presence systemd takes itself for a container; /run/nologin refuses user sessions
	rm -f /.dockerenv /run/.containerenv /run/nologin
	: >/etc/fstab
	systemd-id128 new >/etc/machine-id
	export SYSTEMD_UNIT_PATH=/run/systemd/transient:/run/systemd/system:$units SYSTEMD_GENERATOR_PATH=/run/kist-vm-none
	exec /lib/systemd/systemd --system --unit=kist-vm.target --show-status=no --log-level=err --log-target=kmsg
}
