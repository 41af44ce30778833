#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Round trips of images with podman, buildah, skopeo and umoci, in both directions: digests byte for byte, and programs
# that say the same whoever runs them.

load ../helpers/common
load ../helpers/callers
load ../helpers/podman
load ../helpers/image
load ../helpers/engine

setup() {
	kist_setup
	podman_setup
	RT=runc
}

teardown() {
	b rm -a >/dev/null
	podman_end
	kist_teardown
}

# b VERB ARG...: buildah on podman's storage
b() {
	local verb=$1
	shift
	[ "$verb" != run ] || set -- --isolation oci --runtime runc "$@"
	buildah --root "$PODMAN_DIR/graph" --runroot /run/kist-podman/run --storage-driver overlay --log-level error "$verb" "$@"
}

# hard_image: hard:1, an image with whiteouts, an opaque directory, hard links, set-user-ID and capabilities, made by kist
# commit upon what podman has saved
hard_image() {
	podman save -q --format oci-archive -o box.tar box:1
	kist load -q --name box:1 box.tar >/dev/null
	kist run --name one box:1 sh -c 'mkdir -p /d/old /gone; echo 1 >/d/old/1; ln /d/old/1 /hard; echo 2 >/gone/2; cp /bin/busybox /suid; chmod 4755 /suid'
	kist commit -q one mid:1 >/dev/null
	kist run --name two mid:1 sh -c 'rm -r /gone /d/old; mkdir -p /d/old; echo 3 >/d/old/3; echo changed >/hard; rm /bin/ls'
	kist commit -q -c "CMD $(jq -cn --arg s "$(lister)" '["sh", "-c", $s]')" -c 'WORKDIR /d' -c 'ENV COLOR=blue' two hard:1 >/dev/null
	kist rm one two >/dev/null
}

# lister: what a container prints of its tree
lister() {
	echo 'pwd; echo $COLOR; cd /; for f in d/old/* hard suid bin/ls gone; do stat -c "%n %a %u %g %s %F %Y" $f 2>&1; done; cat hard d/old/*; find d | sort'
}

@test "commit, save, podman load, run: the same output, for each format" {
	hard_image
	kist run --rm hard:1 >want
	grep -q 'd/old/3 644 0 0 2 regular file' want
	run ! grep -q 'bin/ls [0-9]\|gone [0-9]\|old/1' want
	for format in docker-archive oci-archive; do
		kist save -q --format $format -o hard.tar hard:1
		podman load -q -i hard.tar >name
		podman run --rm "$(sed 's/^Loaded image: //' name)" >got
		diff want got
		podman rmi -f "$(sed 's/^Loaded image: //' name)" >/dev/null
	done
	kist save -q hard:1 | podman load -q >name
	podman run --rm "$(sed 's/^Loaded image: //' name)" | diff want -
}

@test "podman's archives: kist load, run and save them again with the same digests" {
	hard_image
	kist save -q --format oci-archive -o hard.tar hard:1
	podman load -q -i hard.tar >name
	name=$(sed 's/^Loaded image: //' name)
	kist run --rm hard:1 >want
	for format in docker-archive oci-archive; do
		podman save -q --format $format -o back.tar "$name"
		kist image rm hard:1 >/dev/null 2>&1 || :
		run kist load -q back.tar
		assert_success
		kist run --rm "$output" | diff want -
		# the ID of docker and podman is the config's digest
		assert_equal "$(image inspect -f '{{.ConfigDigest}}' "$output")" "sha256:$(podman image inspect -f '{{.Id}}' "$name")"
	done
	# an OCI archive of podman's: the manifest's digest stays through load, save, skopeo
	podman save -q --format oci-archive -o back.tar "$name"
	want=$(tar -xOf back.tar index.json | jq -r '.manifests[0].digest')
	kist load -q --name again:1 back.tar
	assert_equal "$(image inspect -f '{{.Digest}}' again:1)" "$want"
	kist save -q --format oci-archive -o again.tar again:1
	skopeo copy -q oci-archive:again.tar:again:1 dir:out
	assert_equal "$(skopeo manifest-digest out/manifest.json)" "$want"
}

@test "buildah and skopeo read what kist saves, and kist what they make of it" {
	hard_image
	kist run --rm hard:1 >want
	config=$(image inspect -f '{{.ConfigDigest}}' hard:1)
	kist save -q --format oci-archive -o o.tar hard:1
	kist save -q --format docker-archive -o d.tar hard:1
	kist save -q --format oci-dir -o o hard:1
	for source in oci-archive:o.tar docker-archive:d.tar oci:o:hard:1; do
		c=$(b from -q "$source")
		assert_equal "sha256:$(b inspect -f '{{.FromImageID}}' "$c")" "$config"
		b run "$c" sh -c "$(lister)" >got
		b rm "$c" >/dev/null
		b rmi -a -f >/dev/null 2>&1 || :
		diff want got
	done
	# a layer more by buildah, back to kist
	c=$(b from -q oci-archive:o.tar)
	b run "$c" sh -c 'echo more >/d/more; rm /suid'
	for target in oci-archive:b.tar:more:1 docker-archive:b2.tar:docker.io/library/more:2; do
		b commit -q "$c" "$target" >/dev/null
	done
	b rm "$c" >/dev/null
	kist load -q b.tar b2.tar >/dev/null
	for name in more:1 more:2; do
		run kist run --rm "$name" sh -c 'cat /d/more; test -e /suid || echo gone; cat /d/old/3'
		assert_output $'more\ngone\n3'
	done
	# every layer of the base is kist's own
	assert_equal "$(layers_of more:1 | head -n 3)" "$(layers_of hard:1)"
	# skopeo writes the config of a docker-archive anew for OCI: the layers stay, and what it says
	skopeo copy -q docker-archive:d.tar oci:s:hard:2
	kist load -q s >/dev/null
	assert_equal "$(layers_of hard:2)" "$(layers_of hard:1)"
	kist run --rm hard:2 | diff want -
}
