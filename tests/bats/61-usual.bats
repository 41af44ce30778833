#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What users of podman and Docker type by habit about images: letters and words that mean there what they mean here.
# Sources: podman-images(1), podman-image-exists(1), podman-run(1).

load ../helpers/common
load ../helpers/image
load ../helpers/registry
load ../helpers/remote

setup() {
	registry_setup
	small_trees
}

# aged_image NAME TIME TREE...: an image in the store that was made at TIME
aged_image() {
	layout_image lay x "${@:3}"
	umoci config --image lay:x --created "$2"
	kist load -q --name "$1" lay:x
	rm -rf lay
}

@test "images: -f is a filter, and with -q only what fits is listed" {
	kist import -q base a:1
	kist import -q base >digest
	run kist images -q -f dangling=true --no-trunc
	assert_output "$(<digest)"
	run kist images -qf reference=a
	assert_equal "${#lines[@]}" 1
	kist rmi "$(kist images -qf dangling=true)"
	run kist images --format '{{.Repository}}'
	assert_output a
}

@test "images: a format that names no field is refused, with -q too" {
	kist import -q base a:1
	for words in '--format nope' '-q --format nope'; do
		# shellcheck disable=SC2086
		run --separate-stderr kist images $words
		assert_failure 1
		assert_output ''
		assert_equal "$stderr" "kist: format \"nope\": neither table, nor json, nor a template such as '{{.ID}}'"
	done
	run --separate-stderr kist ps -aqf status=exited
	assert_failure 1
	assert_output ''
	run kist image inspect -f nope a:1
	assert_failure 1
}

@test "images: the newest first, or by --sort; -n leaves the heading out" {
	aged_image b:2 2021-01-01T00:00:00Z base
	aged_image c:3 2023-01-01T00:00:00Z base one
	aged_image a:4 2022-01-01T00:00:00Z base one two
	run kist images --format '{{.Name}}'
	assert_output $'c:3\na:4\nb:2'
	run kist images --sort repository --format '{{.Name}}'
	assert_output $'a:4\nb:2\nc:3'
	run kist images --sort tag --format '{{.Name}}'
	assert_output $'b:2\nc:3\na:4'
	run kist images --sort size --format '{{.Name}}'
	assert_output $'b:2\nc:3\na:4'
	run kist images --sort id --format '{{.ID}}'
	assert_output "$(kist images -q | sort)"
	run kist images -n
	assert_equal "${#lines[@]}" 3
	refute_output --partial REPOSITORY
	run kist images --sort nope
	assert_failure 2
}

@test "image list is image ls, image exists answers by its status" {
	kist import -q base a:1
	run kist image list -q
	assert_output "$(kist image ls -q)"
	run kist image exists a:1
	assert_success
	assert_output ''
	run kist image exists nope
	assert_failure 1
	assert_output ''
	run kist image exists
	assert_failure 2
}

@test "run: the options of pull, for the image that is pulled" {
	registry_start reg basic
	layout_image lay x base one
	skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret oci:lay:x "docker://$REGISTRY/app:1"
	run --separate-stderr kist run --rm "$REGISTRY/app:1" cat /opt/one
	assert_failure 125
	run --separate-stderr kist run --rm --tls-verify=false "$REGISTRY/app:1" cat /opt/one
	assert_failure 125
	assert_regex "$stderr" "kist login $REGISTRY"
	kist login --tls-verify=false --authfile auth.json -u ann -p secret "$REGISTRY"
	echo '{"default": [{"type": "reject"}]}' >policy.json
	run --separate-stderr kist run --rm --tls-verify=false --authfile auth.json --policy policy.json "$REGISTRY/app:1" true
	assert_failure 125
	assert_regex "$stderr" 'policy.json'
	run --separate-stderr kist run --rm --tls-verify=false --authfile auth.json -q "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_success
	assert_output one
	assert_equal "$stderr" ''
	kist rmi "$REGISTRY/app:1"
	run --separate-stderr kist run --rm --tls-verify=false --creds ann:secret --pull=always "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_output one
	run kist run --tls-verify=false --bundle . c
	assert_failure 125
	assert_output --partial '--tls-verify does not go with a bundle'
}

@test "run: --cert-dir, for a registry with a CA of its own" {
	registry_start reg tls
	mkdir certs
	cp ca.crt certs
	layout_image lay x base one
	skopeo copy -q --dest-cert-dir certs oci:lay:x "docker://$REGISTRY/app:1"
	run kist run --rm -q --cert-dir certs "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_success
	assert_output one
}

@test "run: --platform takes another image in the place of one that is here, or refuses" {
	registry_start reg
	for arch in amd64 s390x; do
		layout_image "lay.$arch" x base
		umoci config --image "lay.$arch:x" --architecture $arch --os linux
		skopeo copy -q --dest-tls-verify=false "oci:lay.$arch:x" "docker://$REGISTRY/app:$arch"
	done
	kist pull -q --tls-verify=false "$REGISTRY/app:amd64"
	kist tag "$REGISTRY/app:amd64" "$REGISTRY/app:s390x"
	run --separate-stderr kist run --rm --pull never --platform linux/s390x "$REGISTRY/app:s390x" /bin/busybox true
	assert_failure 125
	assert_equal "$stderr" "kist: image \"$REGISTRY/app:s390x\": is for linux/amd64, not for linux/s390x"
	run kist run --rm --platform linux/x86_64 --pull never "$REGISTRY/app:amd64" /bin/busybox true
	assert_success
	# the tag goes to the image that was asked for; what its config says of the architecture is not true
	run kist run --rm --tls-verify=false -q --platform linux/s390x "$REGISTRY/app:s390x" /bin/busybox true
	assert_success
	run kist image inspect -f '{{.Architecture}}' "$REGISTRY/app:s390x"
	assert_output s390x
	run kist run --rm --platform nope/nope/nope/nope "$REGISTRY/app:amd64" /bin/busybox true
	assert_failure 125
	assert_output --partial '--platform'
	kist pack -o app.kist "$REGISTRY/app:amd64"
	run kist run --rm --platform linux/s390x ./app.kist /bin/busybox true
	assert_failure 125
	assert_output --partial 'is for linux/amd64, not for linux/s390x'
}

@test "wrong usage ends with 2, as with other commands" {
	kist import -q base a:1
	for words in 'pack a:1' 'pack --compress gzip -o f a:1' 'image verify a:1' 'image verify --key k --policy p a:1' 'rmi' 'tag a:1'; do
		# shellcheck disable=SC2086
		run kist $words
		assert_failure 2
		assert_output --partial 'usage: kist'
	done
}

@test "inspect: an image, where no container has the name" {
	kist import -q base a:1
	kist import -q base b:1
	run kist inspect -f '{{.Id}}' a:1 b:1
	assert_equal "$output" "$(kist image inspect -f '{{.Id}}' a:1 b:1)"
	kist run --name a a:1 /bin/busybox true
	run kist inspect -f '{{.Name}}' a
	assert_output a
	run kist inspect nope
	assert_failure 1
	assert_output 'kist: no such container: nope'
	kist rm a
}

@test "pull: --arch, --os and --variant are --platform in parts" {
	registry_start reg
	layout_image lay x base
	umoci config --image lay:x --architecture arm --os linux
	skopeo copy -q --dest-tls-verify=false oci:lay:x "docker://$REGISTRY/app:1"
	run --separate-stderr kist pull --tls-verify=false --arch s390x "$REGISTRY/app:1"
	assert_failure 1
	assert_regex "$stderr" 'linux/s390x'
	run kist pull --tls-verify=false --os freebsd --arch arm "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial 'freebsd/arm'
	run kist pull -q --tls-verify=false --arch arm --variant v7 "$REGISTRY/app:1"
	assert_success
	run kist pull --platform linux/arm --arch arm "$REGISTRY/app:1"
	assert_failure 2
}

@test "load: a directory of docker-dir is told how to get in" {
	kist import -q base a:1
	kist save --format docker-dir -o d a:1
	run kist load d
	assert_failure 1
	assert_output --partial 'skopeo copy dir:'
	skopeo copy -q dir:d oci:lay:x
	run kist load --name b:1 lay:x
	assert_success
}
