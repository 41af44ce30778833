# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the suites of pull and push: images that skopeo puts into a registry, and a proxy in front of it that has bad days.
# Loaded after common.bash, image.bash and registry.bash.

# remote_image NAME TREE...: makes an image of one layer for each TREE and pushes it to NAME in $REGISTRY, by skopeo
remote_image() {
	local name=$1
	shift
	layout_image "lay.${name//[\/:]/.}" x "$@"
	skopeo copy -q --dest-tls-verify=false "oci:lay.${name//[\/:]/.}:x" "docker://$REGISTRY/$name"
}

# remote_digest NAME [SKOPEO-OPTION...]: the digest of what a name leads to in $REGISTRY, as skopeo sees it
remote_digest() {
	skopeo inspect --tls-verify=false --raw "${@:2}" "docker://$REGISTRY/$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'
}

# big_tree DIR [BYTES]: a tree with a file that does not pack, of some pieces of a download (default 2 MB)
big_tree() {
	mkdir -p "$1/opt"
	head -c "${2:-2000000}" /dev/urandom >"$1/opt/big"
}

# put_document NAME TYPE FILE: puts a manifest or an index into $REGISTRY as it is; prints its digest
put_document() {
	curl -sSf -X PUT -H "Content-Type: $2" --data-binary "@$3" "http://$REGISTRY/v2/${1%:*}/manifests/${1##*:}" >&2 || return 1
	sha256sum <"$3" | sed 's/^/sha256:/; s/ .*//'
}

# faults RULE...: a proxy before $REGISTRY (tests/helpers/faultproxy.py has the rules); sets PROXY to its localhost:PORT
faults() {
	: >proxy.log
	rm -f requests.log
	registry_background proxy.log python3 "${BASH_SOURCE[0]%/*}/faultproxy.py" --log requests.log "$REGISTRY" "$@"
	PROXY=localhost:$(registry_port proxy.log) || fail "$(cat proxy.log)"
}

# requests FILTER: what jq says of each request that the proxy got
requests() {
	jq -r "$1" requests.log
}

# blob_requests [METHOD]: how often each blob was asked for: "COUNT DIGEST"
blob_requests() {
	requests "select(.method == \"${1:-GET}\" and (.path | test(\"/blobs/sha256:\"))) | .path | sub(\".*/\"; \"\")" | sort | uniq -c | sed 's/^ *//'
}

# layer_blobs IMAGE: digests of its layers as they are packed, lowest first
layer_blobs() {
	image inspect "$1" | jq -r '.[0].Layers[].Digest'
}

# nothing_in_store: no blob, no layer, nothing on its way
nothing_in_store() {
	run find "$KIST_STORE" -mindepth 2 ! -path "$KIST_STORE/blobs/sha256" ! -path "$KIST_STORE/layers/sha256"
	assert_output ''
}
