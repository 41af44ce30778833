#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The store proves itself: other tools that write into it, check and repair, trees and sizes, mounts, removal, and many
# commands at once.

load ../helpers/common
load ../helpers/image
load ../helpers/engine

# ---- other tools write the layout while kist does not run ----

@test "run unpacks by itself what umoci and skopeo wrote into the store" {
	base_image
	mkdir -p one/opt two/srv
	echo one >one/opt/one
	echo two >two/srv/two
	umoci insert --image "$KIST_STORE:base:1" --tag app:2 one / >/dev/null
	umoci config --image "$KIST_STORE:app:2" --config.cmd /bin/cat --config.cmd /opt/one
	run kist plan app:2
	assert_failure
	assert_output --partial 'kist image unpack'
	run kist run --rm app:2
	assert_success
	assert_output one
	# of an image that is unpacked, nothing is executed
	KIST_LIBEXEC=/nowhere run kist run --rm app:2
	assert_output one
	layout_image lay x one two
	skopeo copy -q oci:lay:x "oci:$KIST_STORE:registry.test/sk:1"
	run kist image unpack sk:1
	assert_success
	assert_equal "$(image ls --format '{{.Repository}}' | LC_ALL=C sort | xargs)" "app base registry.test/sk"
	# what is killed there goes when nobody names it any more
	umoci rm --image "$KIST_STORE:registry.test/sk:1"
	umoci gc --layout "$KIST_STORE"
	two=$(sha256sum <two/srv/two | cut -c -64)
	assert [ -n "$(find "$KIST_STORE/layers" -name two)" ]
	image prune
	assert_equal "$(find "$KIST_STORE/layers" -name two)" ""
	run kist run --rm app:2
	assert_output one
}

@test "run of an image whose layer blob is broken says so, and leaves no container" {
	base_image
	mkdir -p one/opt
	echo one >one/opt/one
	umoci insert --image "$KIST_STORE:base:1" --tag app:2 one / >/dev/null
	blob=$(image inspect app:2 | jq -r '.[0].Layers[1].Digest[7:]')
	printf x | dd of="$KIST_STORE/blobs/sha256/$blob" bs=1 seek=40 conv=notrunc status=none
	run kist run --rm --name c app:2 true
	assert_failure 125
	assert_output --partial "layer sha256:$blob"
	assert_output --partial 'image "app:2": its layers could not be unpacked'
	assert_equal "$(kist ps -aq)" ""
	assert_equal "$(ls -A "$KIST_STORE/tmp")" ""
}

@test "what other tools keep in index.json stays as it is" {
	base_image
	base_image other:1
	python3 - "$KIST_STORE" <<-'P'
	import hashlib, json, sys
	top = sys.argv[1]
	def put(data):
	    digest = hashlib.sha256(data).hexdigest()
	    open(top + "/blobs/sha256/" + digest, "wb").write(data)
	    return {"digest": "sha256:" + digest, "size": len(data)}
	index = json.load(open(top + "/index.json"))
	index["annotations"] = {"x.y": "z"}
	index["foreign"] = [1, 9223372036854775807]
	index["manifests"][0]["annotations"]["com.test.note"] = "mine"
	index["manifests"][0]["platform"] = {"os": "linux", "architecture": "amd64"}
	index["manifests"].append(dict(put(b"no document at all"), mediaType="application/vnd.test.thing"))
	index["manifests"].append({"mediaType": "application/vnd.test.thing", "size": 3, "digest": "sha512:" + "ab" * 64})
	json.dump(index, open(top + "/index.json", "w"))
	P
	jq -S '.manifests |= sort_by(.digest + .annotations["org.opencontainers.image.ref.name"])' "$KIST_STORE/index.json" >want
	thing=$(jq -r '.manifests[] | select(.size == 18) | .digest[7:]' "$KIST_STORE/index.json")
	mkdir -p one/opt
	echo one >one/opt/one
	image import one new:1 >/dev/null
	kist run --rm base:1 true
	image unpack base:1
	image rm new:1
	image prune
	mkdir copy
	cp -r "$KIST_STORE"/{oci-layout,blobs} copy/
	jq '.manifests |= map(select(.size > 100))' "$KIST_STORE/index.json" >copy/index.json
	image load copy:base:1
	assert_equal "$(image ls --format '{{.Name}}' | LC_ALL=C sort | xargs)" "base:1 other:1"
	jq -S '.manifests |= sort_by(.digest + .annotations["org.opencontainers.image.ref.name"])' "$KIST_STORE/index.json" >have
	run diff want have
	assert_success
	assert_file_exist "$KIST_STORE/blobs/sha256/$thing"
}
