# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the suites of policies and signatures: policy files, keys and signatures that openssl, jq and GnuPG make, so that
# what kist reads was not written by kist.

# policy FILE DEFAULT [TRANSPORTS]: a policy file; DEFAULT is a requirement's type or a whole requirement
policy() {
	local default=$2
	[ "${default#\{}" != "$default" ] || default="{\"type\":\"$default\"}"
	printf '{"default":[%s],"transports":{%s}}' "$default" "${3:-}" >"$1"
}

# signed KEY [IDENTITY]: a requirement of type sigstoreSigned
signed() {
	printf '{"type":"sigstoreSigned","keyPath":"%s","signedIdentity":%s}' "$PWD/$1" \
		"${2:-{\"type\":\"exactRepository\",\"dockerRepository\":\"h.test/app\"\}}"
}

# store_sums: every file of the store with its bytes; layers are the same by their names
store_sums() {
	(cd "$KIST_STORE" 2>/dev/null && find . -type f ! -name .lock ! -path './layers/*' -exec sha256sum {} + | sort -k 2 &&
		find layers | sort)
}

# layout_digest LAYOUT TAG: the digest of an image's manifest
layout_digest() {
	jq -r --arg t "$2" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $t) | .digest' \
		"$1/index.json"
}

# put_blob LAYOUT FILE: adds a blob, prints its digest and size as JSON members
put_blob() {
	local hex
	hex=$(sha256sum <"$2" | cut -d' ' -f1)
	cp "$2" "$1/blobs/sha256/$hex"
	printf '"digest":"sha256:%s","size":%d' "$hex" "$(stat -c %s "$2")"
}

# payload DIGEST REFERENCE: what cosign signs
payload() {
	printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}' \
		"$2" "$1"
}

# openssl_key NAME [KIND]: NAME.pem and NAME.pub
openssl_key() {
	case ${2:-ec} in
	ec) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.pem" ;;
	p384) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$1.pem" ;;
	rsa) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.pem" ;;
	small) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$1.pem" ;;
	ed25519) openssl genpkey -quiet -algorithm ED25519 -out "$1.pem" ;;
	esac 2>/dev/null
	openssl pkey -in "$1.pem" -pubout -out "$1.pub"
}

# attach LAYOUT DIGEST PAYLOAD KEY [SIGNATURE]: puts a signature made by openssl into a layout, in cosign's form, under
# DIGEST's tag. Several calls add several layers.
attach() {
	local tag=sha256-${2#sha256:}.sig sum config manifest
	[ -z "${5:-}" ] && openssl dgst -sha256 -sign "$4" -out signature.bin "$3" && sum=$(base64 -w0 signature.bin)
	printf '{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json",%s,"annotations":{"dev.cosignproject.cosign/signature":"%s"}}' \
		"$(put_blob "$1" "$3")" "${5:-$sum}" >>"$tag.layers"
	echo '{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]}}' >config.json
	config=$(put_blob "$1" config.json)
	jq -cs --argjson c "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",$config}" \
		'{schemaVersion:2, config:$c, layers:.}' "$tag.layers" >manifest.json
	manifest=$(put_blob "$1" manifest.json)
	jq -c --arg t "$tag" --argjson m "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",$manifest}" \
		'.manifests |= [.[] | select(.annotations["org.opencontainers.image.ref.name"] != $t)] +
		[$m + {annotations:{"org.opencontainers.image.ref.name":$t}}]' "$1/index.json" >index.new
	mv index.new "$1/index.json"
}

# gpg_key NAME [EXPIRE]: a key of GnuPG's, its public part in NAME.gpg and NAME.asc
gpg_key() {
	mkdir -p -m 700 gnupg
	export GNUPGHOME=$PWD/gnupg
	gpg --batch --quiet --passphrase '' --quick-gen-key "$1 <$1@test>" rsa2048 sign "${2:-never}"
	gpg --export "$1@test" >"$1.gpg"
	gpg --armor --export "$1@test" >"$1.asc"
}

# gpg_policy FILE: a policy of h.test/app with signedBy
gpg_policy() {
	policy p.json reject "\"docker\":{\"h.test/app\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$PWD/$1\"}]}"
}
