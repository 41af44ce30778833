#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pull and push on bad days: a proxy before the registry cuts connections, lies, thinks too long or sends too much. Each
# failure has its words and leaves nothing; what can be mended is mended, and nothing is asked for twice that came once.

load ../helpers/common
load ../helpers/image
load ../helpers/registry
load ../helpers/remote

setup() {
	registry_setup
	small_trees
	big_tree big
	registry_start reg
}

pull() {
	kist pull --tls-verify=false "$@"
}

# an image of two layers, of which the upper does not pack; BLOB is that layer's blob
faulty_image() {
	remote_image app:1 base big
	DIGEST=$(remote_digest app:1)
	BLOB=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/app:1" | jq -r '.layers[1].digest')
	SIZE=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/app:1" | jq -r '.layers[1].size')
}

# blob_rows FILTER: what jq says of the requests for BLOB
blob_rows() {
	requests "select(.method == \"GET\" and (.path | endswith(\"$BLOB\"))) | $1"
}

pulls() {
	run --separate-stderr pull -q "$PROXY/app:1"
	assert_success
	assert_output "$DIGEST"
	cmp big/opt/big "$KIST_STORE/layers/sha256/$(layers_of "$PROXY/app:1" | tail -n 1)/fs/opt/big"
}

# refused WORDS: the pull fails with them and leaves nothing
refused() {
	run --separate-stderr pull -q "$PROXY/app:1"
	assert_failure 1
	assert_equal "$output" ''
	assert_regex "$stderr" "$1"
	nothing_in_store
}

@test "a connection that is cut goes on where it broke, by Range" {
	faulty_image
	faults "GET $BLOB 1 cut=1000000"
	pulls
	assert_equal "$(blob_rows .range | head -n 1)" null
	from=$(blob_rows .range | sed -n '2s/bytes=\([0-9]*\)-.*/\1/p')
	# some bytes of the first may have been lost on the way, none came twice
	assert [ "$from" -gt 0 ]
	assert [ "$from" -le 1000000 ]
	assert_equal "$(blob_rows .status | tail -n 1)" 206
	assert_equal "$(blob_rows .sent | tail -n 1)" $((SIZE - from))
	assert_equal "$(blob_rows .path | wc -l)" 2
}

@test "a connection that is cut again and again comes to its end while there is progress" {
	faulty_image
	faults "GET $BLOB 4 cut=400000"
	pulls
	assert_equal "$(blob_rows .path | wc -l)" 5
}

@test "a connection that is always cut at once is given up with words" {
	faulty_image
	faults "GET $BLOB * cut=0"
	refused "pull $PROXY/app:1: .*$BLOB"
}

@test "a registry that ignores Range: what came before does not come to the layer twice" {
	faulty_image
	faults "GET $BLOB 1 cut=1000000" "GET $BLOB * norange"
	pulls
}

@test "a body that is short in good order: the rest is asked for; one that never gets longer is given up" {
	faulty_image
	faults "GET $BLOB 2 short=500000"
	pulls
	assert_equal "$(blob_rows .range | xargs)" "null bytes=500000- bytes=1000000-"
	kist rmi "$PROXY/app:1"
	faults "GET $BLOB * short=0"
	refused "$BLOB"
}

@test "bytes that are not the blob's: the digest tells" {
	faulty_image
	faults "GET $BLOB * wrong=1500000"
	refused "$BLOB"
	faults "GET $BLOB * wrong=5"
	refused "$BLOB"
}

@test "a config and a manifest that are not what was asked for" {
	faulty_image
	config=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/app:1" | jq -r .config.digest)
	faults "GET $config * wrong=7"
	refused "digest"
	faults "GET /manifests/ * digest"
	refused "digest"
	faults "GET /manifests/ * wrong=30"
	refused 'manifest|digest'
	echo '{"schemaVersion":2' >cut.json
	faults "GET /manifests/ * body=$PWD/cut.json"
	refused "$PROXY/app:1"
	faults "GET /manifests/ * type=application/vnd.oci.image.index.v1+json"
	refused 'mediaType application/vnd.oci.image.index.v1\+json is not that of an image manifest'
}

@test "by digest: another manifest is refused" {
	faulty_image
	remote_image other:1 base one
	skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/other:1" >other.json
	faults "GET /manifests/ * body=$PWD/other.json"
	run pull -q "$PROXY/app@$DIGEST"
	assert_failure 1
	assert_output --partial "$DIGEST"
	nothing_in_store
}

@test "429 is waited for as Retry-After says, 500 is tried again" {
	faulty_image
	faults "GET /manifests/ 1 status=429,1" "GET $BLOB 2 status=500" "GET /manifests/ 1 status=503"
	start=$(date +%s%N)
	pulls
	assert [ $(($(date +%s%N) - start)) -ge 1000000000 ]
	assert_equal "$(requests 'select(.path | test("manifests")) | .status' | xargs)" "429 503 200"
	assert_equal "$(blob_rows .status | xargs)" "500 500 200"
}

@test "a registry that has only 500 to say is given up, with the status" {
	faulty_image
	faults "GET /manifests/ * status=500"
	refused '500'
}

@test "a redirect to another host gets no credentials" {
	registry_start secret basic
	layout_image lay x base big
	skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret oci:lay:x "docker://$REGISTRY/app:1"
	faults "GET /blobs/ * redirect"
	run --separate-stderr pull -q --creds ann:secret "$PROXY/app:1"
	assert_success
	# the registry's own host gets them, the other does not
	run requests 'select(.port == 1 and .status == 307) | .authorization'
	assert_line Basic
	refute_line null
	run requests 'select(.port == 2) | .authorization'
	assert_line null
	refute_line Basic
	run requests 'select(.port == 2) | .status'
	assert_line 200
}

@test "a sender that stands still is given up after --stall-timeout, and asked again" {
	faulty_image
	faults "GET $BLOB 1 stall=500000"
	run --separate-stderr pull -q --stall-timeout 1 "$PROXY/app:1"
	assert_success
	assert_output "$DIGEST"
	assert_regex "$(blob_rows .range | tail -n 1)" '^bytes=[1-9]'
	kist rmi "$PROXY/app:1"
	faults "GET $BLOB * stall=0"
	run --separate-stderr pull -q --stall-timeout 1 "$PROXY/app:1"
	assert_failure 1
	assert_regex "$stderr" "$BLOB"
	nothing_in_store
}

@test "a sender that is slow, but sends, is waited for" {
	faulty_image
	faults "GET $BLOB * slow=1000000"
	run pull -q --stall-timeout 1 "$PROXY/app:1"
	assert_success
}

@test "a manifest without end, and one that is too large" {
	faulty_image
	faults "GET /manifests/ * endless"
	refused "$PROXY/app:1"
	faults "GET /manifests/ * huge=100000000"
	refused "$PROXY/app:1"
	# not much of it was read
	assert [ "$(requests .sent | tail -n 1)" -lt 20000000 ]
}

@test "a blob without end" {
	faulty_image
	faults "GET $BLOB * endless"
	refused "$BLOB"
}

@test "one layer that fails stops the others" {
	big_tree huge 3000000
	remote_image app:1 base huge
	blobs=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/app:1" | jq -r '.layers[].digest')
	faults "GET $(head -n 1 <<<"$blobs") * wrong=100" "GET $(tail -n 1 <<<"$blobs") * slow=200000"
	start=$SECONDS
	refused "$(head -n 1 <<<"$blobs")"
	# the other alone would take 15 seconds
	assert [ $((SECONDS - start)) -lt 8 ]
}

@test "push: an upload that is cut, or answered by 500, is sent again" {
	layout_image lay x base big
	kist load -q --name app:1 lay:x
	digest=$(image inspect -f '{{.Digest}}' app:1)
	faults "PUT uploads 1 cut=100000" "PATCH uploads 1 cut=100000" "POST uploads 1 status=503" "PUT /manifests/ 1 status=429,1"
	run --separate-stderr kist push -q --tls-verify=false app:1 "$PROXY/app:1"
	assert_success
	assert_output "$digest"
	assert_equal "$(remote_digest app:1)" "$digest"
	skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/app:1" oci:back:x
}

@test "push: what the registry refuses is told, with its words" {
	layout_image lay x base
	kist load -q --name app:1 lay:x
	faults "PUT /manifests/ * status=400"
	run kist push -q --tls-verify=false app:1 "$PROXY/app:1"
	assert_failure 1
	assert_output --partial 'the proxy says so'
}
