#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Trust: which images a policy lets in, by scope and by signature; signatures of kist's verified by openssl, and
# signatures and keys of others (openssl, Python, GnuPG by skopeo) verified by kist; what is refused leaves nothing.

load ../helpers/common
load ../helpers/image
load ../helpers/trust
load ../helpers/user

setup() {
	kist_setup
	mkdir -p home
	export HOME=$BATS_TEST_TMPDIR/home COSIGN_PASSWORD=pw
	small_trees
	layout_image lay x base one
	# an empty store, to compare with
	image load lay:x --name first:1
	image rm first:1
}

teardown() {
	[ ! -d gnupg ] || GNUPGHOME=$PWD/gnupg gpgconf --kill all
	kist_teardown
}

# refused POLICY WORDS: the layout is refused with these words, and the store is as before
refused() {
	local before after
	before=$(store_sums)
	run image load --policy "$1" lay
	assert_failure 1
	assert_output --partial "$2"
	after=$(store_sums)
	assert_equal "$after" "$before"
	run find "$KIST_STORE/tmp" -mindepth 1
	assert_output ""
}

# ---- scopes ----

@test "reject by default: the error names file, scope and requirement, and nothing is left" {
	image load lay:x --name kept:1
	policy p.json reject
	refused p.json "lay: oci:$PWD/lay:x is not let in by p.json: default[0]: reject"
	policy p.json insecureAcceptAnything "\"oci\":{\"$PWD/lay\":[{\"type\":\"insecureAcceptAnything\"},{\"type\":\"reject\"}]}"
	refused p.json "transports.oci[\"$PWD/lay\"][1]: reject"
}

@test "the most specific scope of a layout counts: PATH:TAG, PATH, a parent, the transport, the default" {
	local here=$PWD accept='[{"type":"insecureAcceptAnything"}]' reject='[{"type":"reject"}]'
	ln -s lay link
	for scopes in "\"\":$accept" "\"$here\":$accept,\"\":$reject" "\"$here/lay\":$accept,\"$here\":$reject" \
		"\"$here/lay:x\":$accept,\"$here/lay\":$reject"; do
		policy p.json reject "\"oci\":{$scopes}"
		image load --policy p.json link
		image rm link:x
	done
	policy p.json insecureAcceptAnything "\"oci\":{\"$here/lay:x\":$reject,\"$here/lay\":$accept}"
	refused p.json "transports.oci[\"$here/lay:x\"][0]: reject"
	# not a prefix by letters
	policy p.json reject "\"oci\":{\"$here/la\":$accept}"
	refused p.json "default[0]: reject"
}

@test "each kind of source is a transport of its own: oci-archive, docker-archive, tarball, unpack" {
	skopeo copy -q oci:lay:x oci-archive:app.tar:app:3
	skopeo copy -q oci:lay:x docker-archive:d.tar:app:4
	tar -cf root.tar -C base .
	policy oci.json reject '"oci":{"":[{"type":"insecureAcceptAnything"}]}'
	run image load --policy oci.json app.tar
	assert_output --partial "app.tar: oci-archive:$PWD/app.tar:app:3 is not let in by oci.json: default[0]"
	run image load --policy oci.json <app.tar
	assert_output --partial "oci-archive: is not let in"
	run image load --policy oci.json d.tar
	assert_output --partial "d.tar: docker-archive: is not let in by oci.json"
	run image import --policy oci.json root.tar base:1
	assert_output --partial "tarball: is not let in by oci.json"
	assert_equal "$(image ls -q)" ""
	policy rest.json reject "\"oci-archive\":{\"$PWD/app.tar\":[{\"type\":\"insecureAcceptAnything\"}]},\"docker-archive\":{\"\":[{\"type\":\"insecureAcceptAnything\"}]},\"tarball\":{\"\":[{\"type\":\"insecureAcceptAnything\"}]}"
	image load --policy rest.json app.tar d.tar
	image import --policy rest.json root.tar base:1
	run image load --policy rest.json lay
	assert_failure 1
	# what another tool has put into the store comes in when it is unpacked
	skopeo copy -q oci:lay:x "oci:$KIST_STORE:other:1"
	run image unpack --policy rest.json other:1
	assert_failure 1
	assert_output --partial "oci:$KIST_STORE:other:1 is not let in by rest.json"
	image unpack --policy oci.json other:1
}

@test "the policy of the user is found in his home; --policy wins; one that cannot be read lets nothing in" {
	mkdir -p home/.config/containers
	policy home/.config/containers/policy.json reject
	run image load lay
	assert_failure 1
	assert_output --partial "is not let in by $HOME/.config/containers/policy.json: default[0]"
	policy p.json insecureAcceptAnything
	image load --policy p.json lay
	echo '{' >home/.config/containers/policy.json
	run image load lay
	assert_failure 1
	assert_output --partial "$HOME/.config/containers/policy.json:"
	run image load --policy missing.json lay
	assert_failure 1
	assert_output --partial "missing.json: No such file"
}

@test "a policy with something unknown is refused as a whole, with its address" {
	while IFS='|' read -r text words; do
		echo "$text" >p.json
		refused p.json "p.json: $words"
	done <<-'E'
		{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"h.test":[{"type":"signed"}]}}}|transports.docker["h.test"][0].type: unknown value "signed"
		{"default":[{"type":"insecureAcceptAnything","key":"x"}]}|default[0].key: unknown key
		{"default":[{"type":"insecureAcceptAnything"}],"Transports":{}}|Transports: unknown key
		{"default":[{"type":"sigstoreSigned","keyPath":"/k","fulcio":{"caPath":"/c"}}]}|default[0].fulcio: not supported
		{"default":[{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyPath":"/r"}]}|default[0].rekorPublicKeyPath: not supported
		{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"busybox":[{"type":"reject"}]}}}|transports.docker["busybox"]: would never match
	E
}

# ---- signatures of a layout ----

@test "a signature by openssl in a layout lets an image in, and comes along" {
	openssl_key good
	digest=$(layout_digest lay x)
	payload "$digest" h.test/app:1 >p
	attach lay "$digest" p good.pem
	policy p.json reject "\"oci\":{\"$PWD/lay\":[$(signed good.pub)]}"
	image load --policy p.json --name h.test/app:1 lay
	assert_equal "$(image ls --format '{{.Name}}')" h.test/app:1
	run image verify --key good.pub h.test/app:1
	assert_success
	assert_equal "$(jq -c '.[0].critical.identity' <<<"$output")" '{"docker-reference":"h.test/app:1"}'
	# out of the archive too
	skopeo copy -q oci:lay:x oci-archive:app.tar:h.test/app:1
	tar -cf signed.tar -C lay .
	image rm h.test/app:1
	policy a.json reject "\"oci-archive\":{\"\":[$(signed good.pub)]}"
	image load --policy a.json signed.tar
	run image load --policy a.json app.tar
	assert_failure 1
	assert_output --partial "sigstoreSigned: no signature of $digest"
}

@test "refused: no signature, another key, a changed payload, a changed signature, another digest" {
	openssl_key good
	openssl_key bad
	digest=$(layout_digest lay x)
	policy p.json reject "\"oci\":{\"\":[$(signed good.pub)]}"
	refused p.json "transports.oci[\"\"][0]: sigstoreSigned: no signature of $digest"
	payload "$digest" h.test/app:1 >p
	attach lay "$digest" p bad.pem
	refused p.json "none of 1 signature of $digest is good: not signed by the key"
	# a signature of the right key under a payload that it does not sign
	payload "sha256:$(printf '%064d' 0)" h.test/app:1 >q
	openssl dgst -sha256 -sign good.pem -out q.sig q
	attach lay "$digest" p good.pem "$(base64 -w0 q.sig)"
	refused p.json "none of 2 signatures of $digest is good: not signed by the key"
	attach lay "$digest" p good.pem "not base64"
	refused p.json "not signed by the key"
	# rightly signed, but of another digest
	attach lay "$digest" q good.pem
	refused p.json "signed is the digest sha256:0000"
	# rightly signed, but no payload
	echo '{"critical":{}}' >r
	attach lay "$digest" r good.pem
	refused p.json "signed is the digest sha256:0000"
	# one good among the bad is enough
	attach lay "$digest" p good.pem
	image load --policy p.json lay
}

@test "refused: a payload whose blob is not what its digest says, and one of a kind that is not signed images" {
	openssl_key good
	digest=$(layout_digest lay x)
	payload "$digest" h.test/app:1 >p
	attach lay "$digest" p good.pem
	policy p.json reject "\"oci\":{\"\":[$(signed good.pub)]}"
	echo x >>"lay/blobs/sha256/$(sha256sum <p | cut -d' ' -f1)"
	refused p.json "digest mismatch"
	rm -f -- *.layers
	sed 's/cosign container image signature/atomic container signature/' p >q
	attach lay "$digest" q good.pem
	refused p.json 'critical.type: "atomic container signature" is not'
	rm -f -- *.layers
	sed 's/"optional":null/"optional":null,"optional":null/' p >q
	attach lay "$digest" q good.pem
	refused p.json "duplicate"
}

@test "signedIdentity: each type lets in what it says and nothing else" {
	openssl_key good
	digest=$(layout_digest lay x)
	payload "$digest" h.test/app:1 >p
	attach lay "$digest" p good.pem
	image load lay --name h.test/app:1
	image load lay --name h.test/app:2
	image load lay --name h.test/other:1
	image load lay --name mirror.test/v/app:1
	while read -r want name identity; do
		policy p.json reject "\"docker\":{\"\":[$(signed good.pub "$identity")]}"
		run image verify --policy p.json "$name"
		[ "$want" = yes ] && assert_success || assert_failure 1
		[ "$want" = yes ] || assert_output --partial "signed is h.test/app:1, not"
	done <<-'E'
		yes h.test/app:1 {"type":"matchExact"}
		no h.test/app:2 {"type":"matchExact"}
		no h.test/other:1 {"type":"matchExact"}
		yes h.test/app:1 {"type":"matchRepoDigestOrExact"}
		no h.test/app:2 {"type":"matchRepoDigestOrExact"}
		yes h.test/app:2 {"type":"matchRepository"}
		no h.test/other:1 {"type":"matchRepository"}
		yes h.test/other:1 {"type":"exactReference","dockerReference":"h.test/app:1"}
		no h.test/app:1 {"type":"exactReference","dockerReference":"h.test/app:2"}
		yes h.test/other:1 {"type":"exactRepository","dockerRepository":"h.test/app"}
		no h.test/app:1 {"type":"exactRepository","dockerRepository":"h.test/other"}
		yes mirror.test/v/app:1 {"type":"remapIdentity","prefix":"mirror.test/v","signedPrefix":"h.test"}
		no mirror.test/v/app:1 {"type":"remapIdentity","prefix":"mirror.test","signedPrefix":"h.test"}
	E
	# a directory gives no name to compare
	policy p.json reject "\"oci\":{\"\":[$(signed good.pub '{"type":"matchRepository"}')]}"
	refused p.json "use exactReference or exactRepository"
}

@test "all requirements of a list must hold; keyData and keyPaths; keys that are missing or no keys" {
	openssl_key good
	openssl_key second
	digest=$(layout_digest lay x)
	payload "$digest" h.test/app:1 >p
	attach lay "$digest" p good.pem
	policy p.json reject "\"oci\":{\"\":[$(signed good.pub),$(signed second.pub)]}"
	refused p.json "transports.oci[\"\"][1]: sigstoreSigned: none of 1 signature"
	attach lay "$digest" p second.pem
	image load --policy p.json lay
	image rm lay:x
	id='"signedIdentity":{"type":"exactRepository","dockerRepository":"h.test/app"}'
	policy p.json "{\"type\":\"sigstoreSigned\",\"keyData\":\"$(base64 -w0 good.pub)\",$id}"
	image load --policy p.json lay
	image rm lay:x
	openssl_key third
	policy p.json "{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"$PWD/third.pub\",\"$PWD/good.pub\"],$id}"
	image load --policy p.json lay
	image rm lay:x
	policy p.json "$(signed none.pub)"
	refused p.json "sigstoreSigned: $PWD/none.pub: No such file"
	cp good.pem private.pub
	policy p.json "$(signed private.pub)"
	refused p.json "private.pub: not a public key in PEM"
	openssl_key weak small
	policy p.json "$(signed weak.pub)"
	refused p.json "weak.pub: not a key of ECDSA"
	policy p.json "{\"type\":\"sigstoreSigned\",\"keyData\":\"????\",$id}"
	refused p.json "keyData: not base64"
	mkfifo fifo.pub
	policy p.json "$(signed fifo.pub)"
	refused p.json "fifo.pub"
}

@test "an image of an index: a signature of the manifest or of the index lets it in" {
	openssl_key good
	digest=$(layout_digest lay x)
	size=$(stat -c %s "lay/blobs/sha256/${digest#*:}")
	arch=$(dpkg --print-architecture)
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"platform":{"os":"linux","architecture":"%s"}}]}' \
		"$digest" "$size" "$arch" >idx
	blob=$(put_blob lay idx)
	jq -c --argjson m "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",$blob}" \
		'.manifests = [$m + {annotations:{"org.opencontainers.image.ref.name":"multi"}}]' lay/index.json >new
	mv new lay/index.json
	index=$(layout_digest lay multi)
	policy p.json "$(signed good.pub)"
	refused p.json "no signature of $digest"
	payload "$index" h.test/app:1 >p
	attach lay "$index" p good.pem
	image load --policy p.json lay
	image rm lay:multi
	# under the tag of one, the signature of the other says nothing
	jq -c '.manifests |= [.[] | select(.annotations["org.opencontainers.image.ref.name"] == "multi")]' lay/index.json >new
	mv new lay/index.json
	rm -f -- *.layers
	attach lay "$digest" p good.pem
	refused p.json "signed is the digest $index"
}

# ---- sign and verify ----

@test "sign: openssl verifies what kist signs, with each kind of key" {
	image load lay --name h.test/app:1
	digest=$(image inspect h.test/app:1 | jq -r '.[0].Digest')
	for kind in ec p384 rsa ed25519; do
		openssl_key "$kind" "$kind"
		image load lay --name "h.test/$kind:1"
		run image sign --key "$kind.pem" -a "kind=$kind" "h.test/$kind:1"
		assert_success
		assert_output "h.test/$kind:1@$digest"
		run image verify --key "$kind.pub" -a "kind=$kind" "h.test/$kind:1"
		assert_success
		assert_equal "$(jq -r '.[0].critical.image["docker-manifest-digest"]' <<<"$output")" "$digest"
	done
	manifest=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] | endswith(".sig")) | .digest' \
		"$KIST_STORE/index.json")
	assert_equal "$(jq '.layers | length' "$KIST_STORE/blobs/sha256/${manifest#*:}")" 4
	n=0
	for kind in ec p384 rsa ed25519; do
		layer=$(jq -c ".layers[$n]" "$KIST_STORE/blobs/sha256/${manifest#*:}")
		jq -r '.annotations["dev.cosignproject.cosign/signature"]' <<<"$layer" | base64 -d >sig
		blob=$KIST_STORE/blobs/sha256/$(jq -r .digest <<<"$layer" | cut -d: -f2)
		if [ "$kind" = ed25519 ]; then
			openssl pkeyutl -verify -pubin -inkey "$kind.pub" -rawin -in "$blob" -sigfile sig
		else
			openssl dgst -sha256 -verify "$kind.pub" -signature sig "$blob"
		fi
		assert_equal "$(jq -r .optional.kind "$blob")" "$kind"
		n=$((n + 1))
	done
	# skopeo reads it as an image of the layout
	skopeo copy -q "oci:$KIST_STORE:sha256-${digest#*:}.sig" dir:copied
	cmp copied/manifest.json "$KIST_STORE/blobs/sha256/${manifest#*:}"
}

@test "sign and verify: identity, annotations, wrong keys and passphrases" {
	image load lay --name app:1
	image sign --generate-key key
	run image sign --key key.key app:1
	assert_output --partial "docker.io/library/app:1@sha256:"
	run image verify --key key.pub app:1
	assert_success
	run image verify --key key.pub --identity docker.io/library/app:1 app:1
	assert_success
	for identity in app:2 h.test/app; do
		run image verify --key key.pub --identity "$identity" app:1
		assert_failure 1
		assert_output --partial "signed is docker.io/library/app:1, not"
	done
	image sign --key key.key --identity h.test/app:7 app:1
	image verify --key key.pub --identity h.test/app app:1
	run image verify --key key.pub -a who=me app:1
	assert_failure 1
	assert_output --partial "have no who=me"
	COSIGN_PASSWORD='' image sign --generate-key other
	run image verify --key other.pub app:1
	assert_failure 1
	assert_output --partial "none of 2 signatures of"
	run image sign --key other.key app:1
	assert_failure 1
	assert_output "kist: key other.key: the passphrase is wrong"
	run image sign --generate-key other
	assert_failure 1
	assert_output "kist: other.key: is there already"
	run image sign --key key.pub app:1
	assert_output "kist: key key.pub: not a private key in PEM"
	for words in "app:1" "--key key.key" "--generate-key x --key key.key" "--generate-key x app:1" "--key key.key missing:1" \
		"--key key.key -a novalue app:1" "--key key.key -a creator=me app:1" "--key key.key -a a=1 -a a=2 app:1"; do
		# shellcheck disable=SC2086
		run image sign $words
		assert_failure 1
		assert_output
	done
	for words in "app:1" "--key key.pub --policy p.json app:1"; do
		# shellcheck disable=SC2086
		run image verify $words
		assert_failure 2
		assert_output --partial "--key FILE"
	done
	for words in "--key missing.pub app:1" "--key key.pub missing:1"; do
		# shellcheck disable=SC2086
		run image verify $words
		assert_failure 1
		assert_output
	done
	assert_equal "$(stat -c %a key.key key.pub | xargs)" "600 644"
}

@test "keys: the form of cosign, by a second implementation in both directions, and encrypted PKCS#8" {
	image load lay --name app:1
	image sign --generate-key key
	cat >sealed.py <<-'P'
		import base64, hashlib, json, subprocess, sys
		from nacl.secret import SecretBox
		import nacl.utils
		def pem(kind, data):
		    text = base64.b64encode(data).decode()
		    return "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (kind, "\n".join(text[i:i + 64] for i in range(0, len(text), 64)), kind)
		if sys.argv[1] == "open":
		    lines = open(sys.argv[2]).read().split("\n")
		    assert lines[0] == "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----", lines[0]
		    d = json.loads(base64.b64decode("".join(lines[1:-2])))
		    p = d["kdf"]["params"]
		    k = hashlib.scrypt(sys.argv[3].encode(), salt=base64.b64decode(d["kdf"]["salt"]), n=p["N"], r=p["r"], p=p["p"], maxmem=1 << 27, dklen=32)
		    sys.stdout.buffer.write(SecretBox(k).decrypt(base64.b64decode(d["ciphertext"]), base64.b64decode(d["cipher"]["nonce"])))
		else:
		    der, salt, nonce = sys.stdin.buffer.read(), nacl.utils.random(32), nacl.utils.random(24)
		    k = hashlib.scrypt(sys.argv[2].encode(), salt=salt, n=65536, r=8, p=1, maxmem=1 << 28, dklen=32)
		    b = lambda x: base64.b64encode(x).decode()
		    d = {"kdf": {"name": "scrypt", "params": {"N": 65536, "r": 8, "p": 1}, "salt": b(salt)}, "cipher": {"name": "nacl/secretbox", "nonce": b(nonce)}, "ciphertext": b(SecretBox(k).encrypt(der, nonce).ciphertext)}
		    sys.stdout.write(pem("ENCRYPTED SIGSTORE PRIVATE KEY", json.dumps(d).encode()))
	P
	/usr/bin/python3 sealed.py open key.key pw >key.der
	openssl pkey -inform DER -in key.der -pubout >key2.pub
	cmp key.pub key2.pub
	openssl_key mine
	openssl pkcs8 -topk8 -nocrypt -in mine.pem -outform DER | /usr/bin/python3 sealed.py seal "a phrase" >mine.key
	printf 'a phrase\nmore\n' >phrase
	image sign --key mine.key --passphrase-file phrase app:1
	image verify --key mine.pub app:1
	run image sign --key mine.key app:1
	assert_output "kist: key mine.key: the passphrase is wrong"
	openssl pkcs8 -topk8 -in mine.pem -passout pass:pw -out enc.pem
	image sign --key enc.pem app:1
	run env COSIGN_PASSWORD=no "$KIST_IMAGE" --store "$KIST_STORE" sign --key enc.pem app:1
	assert_output "kist: key enc.pem: the passphrase is wrong"
	# nobody to be asked
	run env -u COSIGN_PASSWORD setsid "$KIST_IMAGE" --store "$KIST_STORE" sign --key key.key app:1
	assert_failure 1
	assert_output --partial "no passphrase: give --passphrase-file FILE or COSIGN_PASSWORD"
	# numbers that would take all memory, a box that is cut
	sed 1d key.key | head -n -1 | base64 -d | jq -c '.kdf.params.N=1073741824' | base64 -w 64 |
		sed -e '1i -----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----' -e '$a -----END ENCRYPTED COSIGN PRIVATE KEY-----' >huge.key
	run image sign --key huge.key app:1
	assert_failure 1
	assert_output --partial "scrypt's parameters N=1073741824"
}

@test "keys: the passphrase is asked for on the terminal, twice for a new key, and not shown" {
	mkfifo typed
	exec 7<>typed
	env -u COSIGN_PASSWORD /usr/bin/python3 "$BATS_TEST_DIRNAME/../helpers/terminal.py" "$KIST_IMAGE" --store "$KIST_STORE" \
		sign --generate-key asked <typed >shown 2>&1 3>&- 7>&- &
	wait_until 10 grep -q 'passphrase of the key: ' shown
	echo secret >&7
	wait_until 10 grep -q 'again: ' shown
	echo secret >&7
	wait $!
	run cat shown
	refute_output --partial secret
	image load lay --name app:1
	COSIGN_PASSWORD=secret image sign --key asked.key app:1
	env -u COSIGN_PASSWORD /usr/bin/python3 "$BATS_TEST_DIRNAME/../helpers/terminal.py" "$KIST_IMAGE" --store "$KIST_STORE" \
		sign --generate-key differ <typed >shown 2>&1 3>&- 7>&- &
	wait_until 10 grep -q 'passphrase of the key: ' shown
	echo secret >&7
	wait_until 10 grep -q 'again: ' shown
	echo other >&7
	wait $! && status=0 || status=$?
	assert_equal "$status" 1
	run cat shown
	assert_output --partial "passphrase: not the same twice"
	refute [ -e differ.key ]
	exec 7>&-
}

@test "signatures go with their image, are hidden from lists, and are joined" {
	openssl_key one
	openssl_key two
	digest=$(layout_digest lay x)
	payload "$digest" h.test/app:1 >p
	cp -r lay lay2
	attach lay "$digest" p one.pem
	image load lay --name h.test/app:1
	rm -f -- *.layers
	attach lay2 "$digest" p two.pem
	image load lay2 --name h.test/again:1
	image sign --generate-key key
	image sign --key key.key h.test/app:1
	for key in one two key; do
		image verify --key "$key.pub" h.test/app:1
	done
	# a second time adds nothing; what was joined is gone with the next prune
	image prune
	before=$(store_sums)
	image load lay lay2
	image rm lay:x lay2:x
	assert_equal "$(store_sums)" "$before"
	assert_equal "$(image ls --format '{{.Name}}' | sort | xargs)" "h.test/again:1 h.test/app:1"
	image prune
	image verify --key one.pub h.test/app:1
	image rm h.test/app:1
	image verify --key key.pub --identity h.test/app h.test/again:1
	image rm h.test/again:1
	run find "$KIST_STORE/blobs/sha256" "$KIST_STORE/layers/sha256" -mindepth 1
	assert_output ""
	assert_equal "$(jq -c .manifests "$KIST_STORE/index.json")" "[]"
	image load lay
	image prune -a
	run find "$KIST_STORE/blobs/sha256" "$KIST_STORE/layers/sha256" -mindepth 1
	assert_output ""
}

@test "save takes signatures along in the formats of the OCI, so that a policy lets the image in elsewhere" {
	openssl_key mine
	image load lay --name h.test/app:1
	image sign --key mine.pem h.test/app:1
	policy p.json reject "\"oci\":{\"\":[$(signed mine.pub)]},\"oci-archive\":{\"\":[$(signed mine.pub)]}"
	image save --format oci-archive -o app.tar h.test/app:1
	image save --format oci-dir -o app.dir h.test/app:1
	image save --format oci-archive --remove-signatures -o bare.tar h.test/app:1
	image save -o docker.tar h.test/app:1
	digest=$(image inspect h.test/app:1 | jq -r '.[0].Digest')
	image rm h.test/app:1
	for from in app.tar app.dir; do
		image load --policy p.json $from
		image verify --key mine.pub h.test/app:1
		assert_equal "$(image ls -q | wc -l)" 1
		image rm h.test/app:1
	done
	run image load --policy p.json bare.tar
	assert_failure 1
	assert_output --partial "no signature of $digest"
	run tar -tf docker.tar
	refute_output --partial ".sig"
	# skopeo finds the image by its name
	skopeo copy -q "oci-archive:app.tar:h.test/app:1" dir:copied
	assert_equal "sha256:$(sha256sum <copied/manifest.json | cut -d' ' -f1)" "$digest"
}

@test "a signature whose payload is lost stands in the way of nothing for long" {
	openssl_key one
	openssl_key two
	image load lay --name h.test/app:1
	image sign --key one.pem -a n=1 h.test/app:1
	image sign --key two.pem -a n=2 h.test/app:1
	manifest=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] | endswith(".sig")) | .digest' \
		"$KIST_STORE/index.json")
	payload=$(jq -r '.layers[0].digest' "$KIST_STORE/blobs/sha256/${manifest#*:}")
	rm "$KIST_STORE/blobs/sha256/${payload#*:}"
	run image verify --key one.pub h.test/app:1
	assert_failure 1
	image verify --key two.pub h.test/app:1
	run image save --format oci-archive -o app.tar h.test/app:1
	assert_failure 1
	assert_output --partial "payload $payload of a signature is missing (sign again, or use --remove-signatures)"
	refute [ -e app.tar ]
	image save --format oci-archive --remove-signatures -o app.tar h.test/app:1
	image sign --key one.pem h.test/app:1
	image check
	for key in one two; do
		image verify --key $key.pub h.test/app:1
	done
	image save --format oci-archive -o again.tar h.test/app:1
}

# ---- users ----

@test "a user other than root: his own policy, keys that he may not read, sign and verify" {
	user_setup
	cp -r lay user/home/lay
	chown -R $USER_ID:$USER_ID user/home/lay
	as_user sh -c 'COSIGN_PASSWORD=pw "$KIST" image sign --generate-key key'
	assert_equal "$(stat -c '%a %u' user/home/key.key user/home/key.pub | xargs)" "600 $USER_ID 644 $USER_ID"
	as_user sh -c '"$KIST" load -q lay --name h.test/app:1 && COSIGN_PASSWORD=pw "$KIST" image sign --key key.key h.test/app:1'
	run as_user sh -c '"$KIST" image verify --key key.pub h.test/app:1'
	assert_success
	as_user sh -c '"$KIST" save --format oci-archive -o app.tar h.test/app:1 && "$KIST" rmi h.test/app:1'
	as_user mkdir -p .config/containers
	openssl_key other
	policy user/home/.config/containers/policy.json reject \
		"\"oci-archive\":{\"\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"$PWD/user/home/key.pub\",\"signedIdentity\":{\"type\":\"exactReference\",\"dockerReference\":\"h.test/app:1\"}}]}"
	run user_kist load -q lay
	assert_failure 1
	assert_output --partial "is not let in by $PWD/user/home/.config/containers/policy.json: default[0]: reject"
	user_kist load -q app.tar
	run user_kist rmi h.test/app:1
	chown 0:0 user/home/key.pub
	chmod 600 user/home/key.pub
	run user_kist load -q app.tar
	assert_failure 1
	assert_output --partial "key.pub: Permission denied"
	run user_kist images -q
	assert_output ""
}

# ---- OpenPGP ----

@test "signedBy: signatures by skopeo standalone-sign, out of the lookaside of registries.d" {
	image load lay --name h.test/app:1
	hex=$(image inspect h.test/app:1 | jq -r '.[0].Digest' | cut -d: -f2)
	gpg_key ann
	gpg_key bob
	mkdir -p home/.config/containers/registries.d "look/app@sha256=$hex"
	printf 'docker:\n  h.test:\n    lookaside: file://%s/look\n' "$PWD" >home/.config/containers/registries.d/a.yaml
	slot="look/app@sha256=$hex/signature"
	skopeo standalone-sign "$KIST_STORE/blobs/sha256/$hex" h.test/app:1 ann@test -o good
	cp good "$slot-1"
	for key in ann.gpg ann.asc; do
		gpg_policy $key
		run image verify --policy p.json h.test/app:1
		assert_success
		assert_output "sha256:$hex"
	done
	gpg_policy bob.gpg
	run image verify --policy p.json h.test/app:1
	assert_failure 1
	assert_output --partial "signedBy: none of 1 signature of sha256:$hex is good: not signed by the key"
	# two keyrings, and a second signature
	policy p.json "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[\"$PWD/bob.gpg\",\"$PWD/ann.asc\"]}"
	image verify --policy p.json h.test/app:1
	skopeo standalone-sign "$KIST_STORE/blobs/sha256/$hex" h.test/app:1 bob@test -o "$slot-2"
	gpg_policy bob.asc
	image verify --policy p.json h.test/app:1
	rm "$slot-2"
	gpg_policy ann.gpg
	# what is not one message with one good signature
	head -c 300 good >cut
	echo words >words
	gpg --batch --store -o stored words
	gpg --batch --clearsign -u ann@test -o clear words
	gpg --batch --sign -u ann@test -o nojson words
	gpg --batch --sign -u ann@test -u bob@test -o both words
	cat stored good >first
	for bad in cut stored clear nojson both first words; do
		cp $bad "$slot-1"
		run image verify --policy p.json h.test/app:1
		assert_failure 1
		assert_output --partial "none of 1 signature"
	done
	# another image, another tag, another repository
	skopeo standalone-sign "$KIST_STORE/blobs/sha256/$hex" h.test/app:2 ann@test -o "$slot-1"
	run image verify --policy p.json h.test/app:1
	assert_output --partial "signed is h.test/app:2, not h.test/app:1 (matchRepoDigestOrExact)"
	echo '{"schemaVersion":2}' >other
	skopeo standalone-sign other h.test/app:1 ann@test -o "$slot-1"
	run image verify --policy p.json h.test/app:1
	assert_output --partial "signed is the digest sha256:$(sha256sum <other | cut -d' ' -f1)"
	rm "$slot-1"
	run image verify --policy p.json h.test/app:1
	assert_output --partial "no signature of sha256:$hex below file://$PWD/look"
	# keys that are none; a layout has no such signatures
	gpg_policy words
	run image verify --policy p.json h.test/app:1
	assert_output --partial "$PWD/words: no OpenPGP keys"
	policy p.json "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$PWD/ann.gpg\"}"
	refused p.json "signedBy: an image from a directory or archive has no signatures of this kind"
}

@test "signedBy: an expired key, and settings of registries.d that are wrong" {
	image load lay --name h.test/app:1
	hex=$(image inspect h.test/app:1 | jq -r '.[0].Digest' | cut -d: -f2)
	mkdir -p home/.config/containers/registries.d "look/app@sha256=$hex"
	gpg_key old seconds=2
	skopeo standalone-sign "$KIST_STORE/blobs/sha256/$hex" h.test/app:1 old@test -o "look/app@sha256=$hex/signature-1"
	printf 'default-docker:\n  lookaside: file://%s/look\n' "$PWD" >home/.config/containers/registries.d/a.yaml
	gpg_policy old.gpg
	sleep 3
	run image verify --policy p.json h.test/app:1
	assert_failure 1
	assert_output --partial "the key has expired"
	printf 'docker:\n  h.test:\n    lookasid: file:///x\n' >home/.config/containers/registries.d/b.yaml
	run image verify --policy p.json h.test/app:1
	assert_failure 1
	assert_output --partial 'b.yaml: docker["h.test"].lookasid: unknown key'
}
