# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# linux.netDevices: devices of the host that are moved into a container. The host's side is a network namespace of the
# test's own. Source: runtime-spec config-linux.md "Network Devices".

load ../helpers/common
load ../helpers/runtime

setup() {
	kist_setup
	hold_ns --net
	HOST=$HELD
	host ip link set lo up
}

teardown() {
	kill -KILL "$HOST" && wait "$HOST" 2>/dev/null || true
	kist_teardown
}

# host COMMAND [ARG...]: in the network that plays the host
host() {
	nsenter --net="/proc/$HOST/ns/net" "$@"
}

# box_devices JSON [COMMAND...]: the bundle b with these devices
box_devices() {
	rm -rf b
	box "${@:2}"
	edit_config '.linux.netDevices = $d' --argjson d "$1"
}

# run_host, create_host: as run_box and create_box, on that host
run_host() {
	host "$KIST" --root "$KIST_ROOT" run --bundle "$BUNDLE" c
}

create_host() {
	host "$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c >c.out 2>&1 </dev/null 3>&-
}

# links: what the host has, in words that must not change: names, state, addresses, routes
links() {
	host ip -o link show | sed 's/^[0-9]*: //; s/ \(qlen\|qdisc\|state\|mode\|group\) [^ ]*//g'
	host ip -o address show | sed 's/^[0-9]*: //; s/ tentative//'
	{ host ip route show && host ip -6 route show; } | sed 's/ linkdown//' | sort
}

# add_link NAME: a device without a cable; not every kernel has dummy, nor every one ifb
add_link() {
	ip link add "$1" type dummy 2>/dev/null || ip link add "$1" type ifb
}

dummy() { # dummy NAME [ADDRESS...]: up
	export -f add_link
	host bash -c 'add_link "$0"' "$1"
	host ip link set "$1" up
	local address
	for address in "${@:2}"; do
		case $address in
		*:*) host ip address add "$address" dev "$1" nodad ;;
		*) host ip address add "$address" dev "$1" ;;
		esac
	done
}

inside() { # inside COMMAND...: in the network of container c
	nsenter --net="/proc/$(state_of c pid)/ns/net" "$@"
}

@test "a device is moved under its own name, and set up" {
	dummy eth5
	box_devices '{ "eth5": {} }' sh -c 'cat /proc/net/dev | sed -n "s/:.*//p"; cat /sys/class/net/eth5/flags'
	run run_host
	assert_success
	assert_output --regexp 'eth5'
	assert_line 0x83 # IFF_UP, IFF_BROADCAST, IFF_NOARP
	run host ip link show eth5
	assert_failure # it went with the container's network
}

@test "a device gets the name that the config gives" {
	dummy eth5
	box_devices '{ "eth5": { "name": "net0" } }' ls /sys/class/net
	run run_host
	assert_success
	assert_output $'lo\nnet0'
}

@test "MTU and hardware address stay" {
	host ip link add eth5 type veth peer name veth1
	host ip link set eth5 address 02:00:00:00:00:05 mtu 1400
	box_devices '{ "eth5": { "name": "net0" } }' cat /sys/class/net/net0/address /sys/class/net/net0/mtu
	run run_host
	assert_output $'02:00:00:00:00:05\n1400'
}

@test "a name with %d: the kernel takes the first number that is free" {
	dummy eth0
	dummy x1
	dummy x2
	box_devices '{ "eth0": { "name": "eth%d" }, "x1": { "name": "eth%d" }, "x2": { "name": "w%d" } }' ls /sys/class/net
	run run_host
	assert_success
	assert_output $'eth0\neth1\nlo\nw0'
}

@test "two devices swap their names on the way" {
	dummy eth0 10.0.0.1/24
	dummy eth1 10.0.1.1/24
	box_devices '{ "eth0": { "name": "eth1" }, "eth1": { "name": "eth0" } }' sleep 1000
	create_host
	run inside ip -o -4 address show
	assert_line --regexp 'eth1 .*10.0.0.1/24'
	assert_line --regexp 'eth0 .*10.0.1.1/24'
	delete_box
}

@test "permanent global addresses are kept: prefix, broadcast, label, peer, flags, lifetimes" {
	dummy eth5 10.1.2.3/20 2001:db8::5/64
	host ip address add 10.9.9.9/24 broadcast 10.9.9.250 label eth5:web dev eth5
	host ip address add 10.8.0.1 peer 10.8.0.2/32 dev eth5
	host ip address add 10.7.0.1/24 dev eth5 noprefixroute metric 77
	host ip address add 2001:db8:1::1/64 dev eth5 nodad preferred_lft 0
	box_devices '{ "eth5": { "name": "net0" } }' sleep 1000
	create_host
	inside ip -o address show dev net0 >kept
	run cat kept
	assert_line --regexp 'inet 10.1.2.3/20 scope global net0'
	assert_line --regexp 'inet 10.9.9.9/24 brd 10.9.9.250 scope global net0:web'
	assert_line --regexp 'inet 10.8.0.1 peer 10.8.0.2/32 scope global net0'
	assert_line --regexp 'inet 10.7.0.1/24 metric 77 scope global noprefixroute net0'
	assert_line --regexp 'inet6 2001:db8::5/64 scope global'
	assert_line --regexp 'inet6 2001:db8:1::1/64 scope global .*deprecated .*preferred_lft 0sec'
	assert_equal "$(grep -c 'valid_lft forever' kept)" "$(grep -c . kept)"
	delete_box
}

@test "addresses that are not permanent or not global stay behind" {
	dummy eth5 10.1.2.3/24
	host ip address add 10.1.9.1/24 dev eth5 valid_lft 1000 preferred_lft 1000
	host ip address add 169.254.3.4/16 scope link dev eth5
	host ip address add fe80::77/64 dev eth5 nodad
	box_devices '{ "eth5": {} }' sleep 1000
	create_host
	run inside ip -o address show dev eth5
	assert_output --partial 10.1.2.3/24
	refute_output --partial 10.1.9.1
	refute_output --partial 169.254.3.4
	refute_output --partial fe80::77
	delete_box
}

@test "many addresses" {
	dummy eth5
	local i
	for ((i = 1; i <= 250; i++)); do
		echo "address add 10.50.0.$i/16 dev eth5"
		echo "address add 2001:db8::$i/64 dev eth5 nodad"
	done >batch
	host ip -batch batch
	box_devices '{ "eth5": {} }' sleep 1000
	create_host
	assert_equal "$(inside ip -o address show dev eth5 scope global | wc -l)" 500
	delete_box
}

@test "a veth keeps its peer" {
	host ip link add veth0 type veth peer name veth1
	host ip address add 10.0.0.1/24 dev veth0
	host ip address add 10.0.0.2/24 dev veth1
	host ip link set veth0 up
	box_devices '{ "veth1": { "name": "eth0" } }' ping -c 1 -w 2 10.0.0.1
	add_caps CAP_NET_RAW
	run run_host
	assert_success
	assert_output --partial '1 packets received'
}

@test "sysctls can name the device, in every spelling" {
	dummy eth0.100
	box_devices '{ "eth0.100": {} }' cat /proc/sys/net/ipv4/conf/eth0.100/forwarding \
		/proc/sys/net/ipv4/conf/eth0.100/rp_filter
	edit_config '.linux.sysctl = { "net/ipv4/conf/eth0.100/forwarding": "1", "net.ipv4.conf.eth0/100.rp_filter": "2" }'
	run run_host
	assert_success
	assert_output $'1\n2'
}

@test "in a user namespace, and with a stage" {
	dummy eth5 10.1.2.3/24
	box_devices '{ "eth5": {} }' ip -o address show dev eth5
	edit_config '.linux.namespaces += [{ type: "user" }, { type: "time" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 b/rootfs
	run run_host
	assert_success
	assert_output --partial 10.1.2.3/24
}

@test "create and start" {
	dummy eth5
	box_devices '{ "eth5": {} }' ls /sys/class/net
	create_host
	run host ip link show eth5
	assert_failure
	inside ip link show eth5
	kist start c
	wait_status c stopped
	assert_equal "$(cat c.out)" $'eth5\nlo'
	delete_box
}

@test "a joined network namespace, which keeps the device" {
	hold_ns --net
	dummy eth5 10.1.2.3/24
	box_devices '{ "eth5": { "name": "net0" } }' ip -o address show
	edit_config '(.linux.namespaces[] | select(.type == "network")).path = $p' --arg p "/proc/$HELD/ns/net"
	run run_host
	assert_success
	assert_output --partial 10.1.2.3/24
	nsenter --net="/proc/$HELD/ns/net" ip link show net0
	run host ip link show eth5
	assert_failure
	release_ns
}

@test "run -d: the device stays until the container ends" {
	dummy eth5 10.1.2.3/24
	box_devices '{ "eth5": { "name": "net0" } }' sleep 1000
	host "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run -d --name c --bundle "$BUNDLE"
	run inside ip -o address show dev net0
	assert_output --partial 10.1.2.3/24
	kist rm -f c
}

@test "plan shows the devices, and moves none" {
	dummy eth5
	box_devices '{ "eth5": { "name": "net%d" } }'
	run host "$KIST" --root "$KIST_ROOT" plan --bundle "$BUNDLE"
	assert_success
	assert_equal "$(jq -c .netDevices <<<"$output")" '[{"host":"eth5","name":"net%d"}]'
	host ip link show eth5
}

@test "features: net devices are acted on" {
	assert_equal "$(kist features | jq .linux.netDevices.enabled)" true
}

# ---- errors, which leave nothing changed ----

# refused WORDS: the config is refused with exactly these, and the host is as before
refused() {
	links >before
	run create_host
	assert_failure 1
	assert_equal "$(cat c.out)" "kist: create c: $1"
	links >after
	diff before after
	run kist list -q
	assert_output ''
}

@test "a device that is not there" {
	dummy eth5 10.0.0.1/24
	box_devices '{ "eth5": {}, "eth6": {} }'
	refused 'linux.netDevices.eth6: no such device on the host'
}

@test "another name of a device" {
	dummy eth5
	host ip link property add dev eth5 altname alias5
	box_devices '{ "alias5": {} }'
	refused 'linux.netDevices.alias5: this is another name of the device eth5, which must be used'
}

@test "a device that the kernel does not move" {
	dummy eth5 10.0.0.1/24 2001:db8::1/64
	host ip link add br0 type bridge
	box_devices '{ "eth5": {}, "lo": { "name": "lo5" } }'
	links >before
	run create_host
	assert_failure 1
	run cat c.out
	assert_output --regexp '^kist: create c: linux.netDevices.lo: move: .*(immutable|Invalid argument)'
	links >after
	diff before after
}

@test "a name that the container has: loopback" {
	dummy eth5
	box_devices '{ "eth5": { "name": "lo" } }'
	refused "linux.netDevices.eth5: a device lo is already in the container's network namespace"
}

@test "a name that the joined namespace has" {
	hold_ns --net
	export -f add_link
	nsenter --net="/proc/$HELD/ns/net" bash -c 'add_link net0'
	dummy eth5
	box_devices '{ "eth5": { "name": "net0" } }'
	edit_config '(.linux.namespaces[] | select(.type == "network")).path = $p' --arg p "/proc/$HELD/ns/net"
	refused "linux.netDevices.eth5: a device net0 is already in the container's network namespace"
	box_devices '{ "eth5": { "name": "net%d" } }' ls /sys/class/net
	edit_config '(.linux.namespaces[] | select(.type == "network")).path = $p' --arg p "/proc/$HELD/ns/net"
	run run_host
	assert_success
	nsenter --net="/proc/$HELD/ns/net" ip link show net1
	release_ns
}

@test "the failure of the second device puts the first back, with addresses, state and routes" {
	dummy eth5 10.0.0.1/24 2001:db8::1/64
	host ip address add 10.3.0.1/24 label eth5:web dev eth5
	host ip route add 192.0.2.0/24 via 10.0.0.2 dev eth5
	host ip route add default via 192.0.2.1 dev eth5 onlink metric 5
	host ip -6 route add 2001:db8:5::/48 via 2001:db8::9 dev eth5
	dummy toolongname0
	host ip address add 10.4.0.1/24 label toolongname0:a dev toolongname0
	box_devices '{ "eth5": { "name": "net0" }, "toolongname0": { "name": "evenlongername" } }'
	refused 'linux.netDevices.toolongname0: address 10.4.0.1/24: its label toolongname0:a would be too long for a device evenlongername'
}

@test "what fails later puts the devices back: a mount, the program" {
	dummy eth5 10.0.0.1/24
	host ip route add 192.0.2.0/24 via 10.0.0.2
	box_devices '{ "eth5": { "name": "net0" } }'
	add_mount /x nosuchfs none
	refused 'mounts: mounts[7] /x: file system nosuchfs: unknown to this kernel'
	box_devices '{ "eth5": { "name": "net0" } }' /no/such/program
	links >before
	run -127 run_host
	links >after
	diff before after
}

@test "the program of run cannot be executed: the devices are back" {
	dummy eth5 10.0.0.1/24
	box_devices '{ "eth5": {} }' /broken
	printf '\177ELFnonsense' >b/rootfs/broken
	chmod 755 b/rootfs/broken
	links >before
	run run_host
	assert_failure 126
	links >after
	diff before after
}

@test "kist is killed on its way: the devices are back" {
	dummy eth5 10.0.0.1/24
	links >before
	box_devices '{ "eth5": {} }'
	# its first message is that the devices are there
	run host timeout -s KILL 20 strace -qq -o trace -e trace=sendmsg -e inject=sendmsg:signal=KILL:when=1 \
		"$KIST" --root "$KIST_ROOT" create --bundle "$BUNDLE" c
	assert_failure 137
	assert_equal "$(grep -c sendmsg trace)" 1
	wait_until 5 eval 'links | diff before -'
	delete_box
}

@test "without a network namespace, or with kist's own" {
	dummy eth5
	box_devices '{ "eth5": {} }'
	edit_config '.linux.namespaces |= map(select(.type != "network")) | del(.linux.sysctl)'
	refused 'linux.netDevices: needs a network namespace'
	box_devices '{ "eth5": {} }'
	edit_config '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"'
	refused "linux.netDevices: needs a network namespace of the container's own, and /proc/self/ns/net is that of kist itself"
}

@test "names are checked before anything is done" {
	dummy eth5
	dummy eth6
	box_devices '{ "eth5": { "name": "a/b" } }'
	refused 'linux.netDevices.eth5.name: expected the name of a network device, got "a/b"'
	box_devices '{ "eth5": { "name": ".." } }'
	refused 'linux.netDevices.eth5.name: expected the name of a network device, got ".."'
	box_devices '{ "eth5": { "name": "sixteen-letters0" } }'
	refused 'linux.netDevices.eth5.name: expected the name of a network device, got "sixteen-letters0"'
	box_devices '{ "eth5": { "name": "n%d%d" } }'
	refused 'linux.netDevices.eth5.name: expected the name of a network device, got "n%d%d"'
	box_devices '{ "eth5": { "name": "eth6" }, "eth6": {} }'
	refused "linux.netDevices.eth6: the name eth6 is linux.netDevices.eth5's too"
}

@test "the helper is not there" {
	dummy eth5
	box_devices '{ "eth5": {} }'
	mkdir bin
	cp "$KIST" bin/kist
	KIST=$PWD/bin/kist run create_host
	assert_failure
	run cat c.out
	assert_output --regexp '^kist: create c: linux.netDevices: kist-net: neither beside kist nor in '
}

@test "kist itself does not grow: no netlink in it" {
	run grep -c mnl_socket_open "$KIST"
	assert_output 0
	run "${KIST%/*}/kist-net"
	assert_failure 2
	assert_output 'kist-net is executed by kist, for linux.netDevices'
}
