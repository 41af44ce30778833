# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A user other than root for the suites of rootless containers. It exists only in a mount namespace of the command that
# runs as it: files of ours lie over /etc/passwd, /etc/group, /etc/subuid and /etc/subgid there. Loaded after common.bash.

USER_ID=4000
USER_SUB=400000 # first of the subordinate ids

# reach_kist: where the user cannot reach the program under test (a clone in /root, which has mode 700 on Debian), KIST is
# a copy of it and its helpers from now on
reach_kist() {
	local copy=$BATS_FILE_TMPDIR/programs
	! setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups test -x "$KIST" || return 0
	if [ ! -d "$copy" ]; then
		mkdir -m 755 "$copy"
		cp "$KIST" "${KIST%/*}"/kist-{image,registry,net,systemd} "$copy"
	fi
	KIST=$copy/kist
}

# user_setup [COUNT]: the files, with COUNT subordinate ids (65536; 0: none), and folders that belong to the user
user_setup() {
	local count=${1:-65536} file
	reach_kist
	mkdir -p user/etc user/home user/run
	cp /etc/passwd /etc/group user/etc/
	echo "kist-test:x:$USER_ID:$USER_ID::$PWD/user/home:/bin/sh" >>user/etc/passwd
	echo "kist-test:x:$USER_ID:" >>user/etc/group
	for file in subuid subgid; do
		: >"user/etc/$file"
		[ "$count" = 0 ] || echo "kist-test:$USER_SUB:$count" >"user/etc/$file"
	done
	USER_DIR=$PWD/user
	chown "$USER_ID:$USER_ID" user/home user/run
	chmod 700 user/run
	KIST_ROOT=$USER_DIR/run/kist
	KIST_STORE=$USER_DIR/home/.local/share/kist
	USER_BEFORE=
}

# as_user COMMAND [ARG...]: runs it as the user, in its home. USER_BEFORE: shell words that root does in the same mount
# namespace before.
as_user() {
	local file script=
	for file in passwd group subuid subgid; do
		script+="mount --bind '$USER_DIR/etc/$file' /etc/$file; "
	done
	unshare --mount --propagation private bash -ec "$script
		$USER_BEFORE
		cd '$USER_DIR/home'
		exec setpriv --reuid $USER_ID --regid $USER_ID --init-groups --inh-caps=-all \
			env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C USER=kist-test HOME='$USER_DIR/home' \
			XDG_RUNTIME_DIR='$USER_DIR/run' KIST='$KIST' \"\$@\"" - "$@"
}

# user_session: in the VM, where the user may stay: with subordinate ids, and with a manager of systemd that runs
user_session() {
	grep -q '^kist-test:' /etc/passwd || useradd --uid "$USER_ID" --create-home --shell /bin/sh kist-test
	sed -i '/^kist-test:/d' /etc/subuid /etc/subgid
	echo "kist-test:$USER_SUB:65536" | tee -a /etc/subuid >>/etc/subgid
	systemctl start "user@$USER_ID.service"
	wait_until 30 test -S "/run/user/$USER_ID/bus"
}

# user_kist ARG...: the program under test as the user, with the directories that it chooses itself
user_kist() {
	as_user "$KIST" "$@"
}

# hide_tool NAME: for the user there is no such program
hide_tool() {
	: >"$USER_DIR/$1"
	USER_BEFORE+="mount --bind '$USER_DIR/$1' \"\$(readlink -f \"\$(command -v $1)\")\"; "
}

# files_left: what lies in the state root, but for its caches, and among the store's containers
files_left() {
	find "$KIST_ROOT" "$KIST_STORE/containers" -mindepth 1 ! -path '*/.seccomp*' 2>/dev/null || :
}
