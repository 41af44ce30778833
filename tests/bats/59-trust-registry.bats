#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Trust with a registry: policies at pull, signatures that go out with push and come in with pull, GnuPG's signatures by
# skopeo out of a lookaside storage. What openssl and skopeo made is verified by kist, and what kist made by openssl.

load ../helpers/common
load ../helpers/image
load ../helpers/registry
load ../helpers/remote
load ../helpers/trust

setup() {
	registry_setup
	export COSIGN_PASSWORD=pw
	small_trees
	layout_image lay x base one
	registry_start reg
	image load lay:x --name first:1
	image rm first:1
	printf 'docker:\n  %s:\n    use-sigstore-attachments: true\n' "$REGISTRY" >attachments.yaml
}

teardown() {
	[ ! -d gnupg ] || GNUPGHOME=$PWD/gnupg gpgconf --kill all
	registry_teardown
}

pull() {
	kist pull -q --tls-verify=false "$@"
}

push() {
	kist push -q --tls-verify=false "$@"
}

# settings FILE...: files of registries.d for the test's user
settings() {
	mkdir -p home/.config/containers/registries.d
	cp "$@" home/.config/containers/registries.d/
}

# docker_policy FILE SCOPE REQUIREMENTS: rejects all but what the requirements of a scope let in
docker_policy() {
	policy "$1" reject "\"docker\":{\"$2\":[$3]}"
}

# not_pulled POLICY NAME WORDS: is refused with these words, and the store is as before
not_pulled() {
	local before after
	before=$(store_sums)
	run pull --policy "$1" "$2"
	assert_failure 1
	assert_output --partial "$3"
	after=$(store_sums)
	assert_equal "$after" "$before"
}

# signatures NAME DIGEST: the manifest of the signatures of a digest in the registry
signatures() {
	skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/$1:sha256-${2#*:}.sig"
}

@test "pull: reject by default; the most specific scope of a name counts" {
	remote_image team/app:1 base one
	digest=$(remote_digest team/app:1)
	accept='{"type":"insecureAcceptAnything"}' reject='{"type":"reject"}'
	policy p.json reject
	not_pulled p.json "$REGISTRY/team/app:1" "docker://$REGISTRY/team/app:1 is not let in by p.json: default[0]: reject"
	for scopes in "\"\":[$accept]" "\"$REGISTRY\":[$accept],\"\":[$reject]" \
		"\"$REGISTRY/team\":[$accept],\"$REGISTRY\":[$reject]" \
		"\"$REGISTRY/team/app\":[$accept],\"$REGISTRY/team\":[$reject]" \
		"\"$REGISTRY/team/app:1\":[$accept],\"$REGISTRY/team/app\":[$reject]"; do
		policy p.json reject "\"docker\":{$scopes}"
		pull --policy p.json "$REGISTRY/team/app:1"
		image rm "$REGISTRY/team/app:1"
	done
	docker_policy p.json "$REGISTRY/team/app:1" "$accept"
	not_pulled p.json "$REGISTRY/team/app@$digest" "docker://$REGISTRY/team/app@$digest is not let in"
	docker_policy p.json "$REGISTRY/team/app@$digest" "$accept"
	pull --policy p.json "$REGISTRY/team/app@$digest"
	# a scope of another transport, and one that is no prefix by components
	image rm -f "$REGISTRY/team/app@$digest"
	policy p.json reject "\"oci\":{\"\":[$accept]},\"docker\":{\"$REGISTRY/te\":[$accept],\"*.test\":[$accept]}"
	not_pulled p.json "$REGISTRY/team/app:1" "default[0]: reject"
}

@test "run and pull ask the policy of the user, and load nothing that it refuses" {
	remote_image app:1 base one
	mkdir -p home/.config/containers
	policy home/.config/containers/policy.json reject
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >registries.conf
	run kist run --rm "$REGISTRY/app:1" /bin/sh -c 'echo ran'
	assert_failure 125
	assert_output --partial "is not let in by $HOME/.config/containers/policy.json: default[0]: reject"
	refute_output --partial ran
	nothing_in_store
	policy home/.config/containers/policy.json insecureAcceptAnything
	run kist run --rm "$REGISTRY/app:1" /bin/sh -c 'echo ran'
	assert_success
	assert_line ran
}

@test "push takes signatures along, openssl verifies them, pull lets the image in by them" {
	openssl_key mine
	openssl_key other
	image load lay --name "$REGISTRY/app:1"
	digest=$(image inspect "$REGISTRY/app:1" | jq -r '.[0].Digest')
	image sign --key mine.pem "$REGISTRY/app:1"
	push "$REGISTRY/app:1"
	signatures app "$digest" >got
	payload=$(jq -r '.layers[0].digest' got)
	curl -sSf "http://$REGISTRY/v2/app/blobs/$payload" >payload
	jq -r '.layers[0].annotations["dev.cosignproject.cosign/signature"]' got | base64 -d >sig
	openssl dgst -sha256 -verify mine.pub -signature sig payload
	assert_equal "$(jq -r '.critical.identity["docker-reference"]' payload)" "$REGISTRY/app:1"
	image rm "$REGISTRY/app:1"
	docker_policy p.json "$REGISTRY/app" "$(signed mine.pub '{"type":"matchRepoDigestOrExact"}')"
	docker_policy o.json "$REGISTRY/app" "$(signed other.pub '{"type":"matchRepoDigestOrExact"}')"
	not_pulled o.json "$REGISTRY/app:1" "docker[\"$REGISTRY/app\"][0]: sigstoreSigned: none of 1 signature of $digest is good: not signed by the key"
	pull --policy p.json "$REGISTRY/app:1"
	# they came along, and hold by themselves
	image verify --key mine.pub "$REGISTRY/app:1"
	image verify --policy p.json "$REGISTRY/app:1"
	assert_equal "$(image ls -q | wc -l)" 1
	image rm "$REGISTRY/app:1"
	# the same image under a tag that was not signed; its digest is of the same repository
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$REGISTRY/app:1" "docker://$REGISTRY/app:2"
	not_pulled p.json "$REGISTRY/app:2" "signed is $REGISTRY/app:1, not $REGISTRY/app:2 (matchRepoDigestOrExact)"
	pull --policy p.json "$REGISTRY/app@$digest"
	image rm -f "$REGISTRY/app@$digest"
	# another repository with the same signature
	for what in 1 "sha256-${digest#*:}.sig"; do
		skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$REGISTRY/app:$what" \
			"docker://$REGISTRY/evil:$what"
	done
	docker_policy p.json "$REGISTRY" "$(signed mine.pub '{"type":"matchRepository"}')"
	not_pulled p.json "$REGISTRY/evil:1" "signed is $REGISTRY/app:1, not $REGISTRY/evil:1"
	# an image without signatures
	remote_image plain:1 base two
	not_pulled p.json "$REGISTRY/plain:1" "sigstoreSigned: no signature of sha256:"
}

@test "a signature by openssl in the registry lets an image in; push joins ours with theirs; --remove-signatures" {
	openssl_key theirs
	openssl_key ours
	digest=$(layout_digest lay x)
	payload "$digest" "$REGISTRY/app" >p
	attach lay "$digest" p theirs.pem
	for tag in x "sha256-${digest#*:}.sig"; do
		skopeo copy -q --dest-tls-verify=false "oci:lay:$tag" "docker://$REGISTRY/app:$tag"
	done
	# cosign signs repositories: only those who take any tag let it in
	docker_policy p.json "$REGISTRY" "$(signed theirs.pub '{"type":"matchRepoDigestOrExact"}')"
	not_pulled p.json "$REGISTRY/app:x" "signed is $REGISTRY/app, not $REGISTRY/app:x"
	docker_policy p.json "$REGISTRY" "$(signed theirs.pub '{"type":"matchRepository"}')"
	pull --policy p.json "$REGISTRY/app:x"
	image verify --key theirs.pub "$REGISTRY/app:x"
	image rm "$REGISTRY/app:x"
	image load lay:x --name "$REGISTRY/app:x"
	image rm "$REGISTRY/app:x"
	skopeo copy -q oci:lay:x oci:bare:x
	image load bare:x --name "$REGISTRY/app:x"
	run image verify --key theirs.pub "$REGISTRY/app:x"
	assert_failure 1
	image sign --key ours.pem "$REGISTRY/app:x"
	signatures app "$digest" >before
	push --remove-signatures "$REGISTRY/app:x"
	signatures app "$digest" | cmp - before
	push "$REGISTRY/app:x"
	assert_equal "$(signatures app "$digest" | jq '.layers | length')" 2
	signatures app "$digest" >before
	push "$REGISTRY/app:x"
	signatures app "$digest" | cmp - before
	image rm "$REGISTRY/app:x"
	docker_policy both.json "$REGISTRY" "$(signed theirs.pub '{"type":"matchRepository"}'),$(signed ours.pub '{"type":"matchExact"}')"
	pull --policy both.json "$REGISTRY/app:x"
	image verify --key theirs.pub "$REGISTRY/app:x"
	image verify --key ours.pub "$REGISTRY/app:x"
}

@test "use-sigstore-attachments brings signatures along without a policy; without either, they stay there" {
	openssl_key mine
	image load lay --name "$REGISTRY/app:1"
	image sign --key mine.pem "$REGISTRY/app:1"
	push "$REGISTRY/app:1"
	image rm "$REGISTRY/app:1"
	pull "$REGISTRY/app:1"
	run image verify --key mine.pub "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial "no signature of"
	settings attachments.yaml
	pull "$REGISTRY/app:1"
	image verify --key mine.pub "$REGISTRY/app:1"
	# signatures that cannot be read do not stop who does not ask for them
	image rm "$REGISTRY/app:1"
	digest=$(remote_digest app:1)
	remote_image other:1 base two
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$REGISTRY/other:1" \
		"docker://$REGISTRY/app:sha256-${digest#*:}.sig"
	run pull "$REGISTRY/app:1"
	assert_success
	docker_policy p.json "$REGISTRY" "$(signed mine.pub '{"type":"matchExact"}')"
	image rm "$REGISTRY/app:1"
	not_pulled p.json "$REGISTRY/app:1" "sigstoreSigned: no signature of $digest"
}

@test "an image of an index: who signed the index, or the image, lets it in" {
	openssl_key mine
	remote_image multi:one base one
	digest=$(remote_digest multi:one)
	size=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/multi:one" | wc -c)
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"platform":{"os":"linux","architecture":"%s"}}]}' \
		"$digest" "$size" "$(dpkg --print-architecture)" >index.json
	index=$(put_document multi:all application/vnd.oci.image.index.v1+json index.json)
	docker_policy p.json "$REGISTRY" "$(signed mine.pub '{"type":"matchExact"}')"
	not_pulled p.json "$REGISTRY/multi:all" "no signature of $digest"
	payload "$index" "$REGISTRY/multi:all" >p
	attach lay "$index" p mine.pem
	skopeo copy -q --dest-tls-verify=false "oci:lay:sha256-${index#*:}.sig" "docker://$REGISTRY/multi:sha256-${index#*:}.sig"
	pull --policy p.json "$REGISTRY/multi:all"
	image rm "$REGISTRY/multi:all"
	# the index was signed, not the tag that leads to the image alone
	not_pulled p.json "$REGISTRY/multi:one" "no signature of $digest"
}

@test "signedBy: skopeo signs while it pushes, kist pulls by the lookaside: a directory, and http" {
	gpg_key ann
	gpg_key bob
	mkdir look
	printf 'docker:\n  %s:\n    lookaside: file://%s/look\n' "$REGISTRY" "$PWD" >a.yaml
	settings a.yaml
	skopeo --registries.d home/.config/containers/registries.d copy -q --sign-by ann@test --dest-tls-verify=false \
		oci:lay:x "docker://$REGISTRY/team/app:1"
	digest=$(remote_digest team/app:1)
	signedby() {
		printf '{"type":"signedBy","keyType":"GPGKeys","keyPath":"%s/%s"}' "$PWD" "$1"
	}
	docker_policy ann.json "$REGISTRY/team" "$(signedby ann.asc)"
	docker_policy bob.json "$REGISTRY/team" "$(signedby bob.gpg)"
	docker_policy two.json "$REGISTRY/team" "$(signedby ann.gpg),$(signedby bob.gpg)"
	not_pulled bob.json "$REGISTRY/team/app:1" "signedBy: none of 1 signature of $digest is good: not signed by the key"
	not_pulled two.json "$REGISTRY/team/app:1" "[1]: signedBy: none of 1 signature"
	pull --policy ann.json "$REGISTRY/team/app:1"
	image rm "$REGISTRY/team/app:1"
	registry_background web.log /usr/bin/python3 -u -m http.server 0 --bind 127.0.0.1 --directory look
	wait_until 10 grep -q 'Serving HTTP' web.log
	port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' web.log | head -n 1)
	printf 'docker:\n  %s:\n    lookaside: http://127.0.0.1:%s\n' "$REGISTRY" "$port" >a.yaml
	settings a.yaml
	pull --policy ann.json "$REGISTRY/team/app:1"
	grep -q "GET /team/app@sha256=${digest#*:}/signature-1 " web.log
	run image verify --policy ann.json "$REGISTRY/team/app:1"
	assert_failure 1
	assert_output --partial "read by pull alone"
	image rm "$REGISTRY/team/app:1"
	not_pulled bob.json "$REGISTRY/team/app:1" "not signed by the key"
	# podman's like: what skopeo signs and kist takes, skopeo takes too
	skopeo --policy ann.json --registries.d home/.config/containers/registries.d copy -q --src-tls-verify=false \
		"docker://$REGISTRY/team/app:1" dir:again
	rm -r look/team
	not_pulled ann.json "$REGISTRY/team/app:1" "no signature of $digest below http://127.0.0.1:$port"
	# the server is gone: nobody can tell
	printf 'docker:\n  %s:\n    lookaside: http://127.0.0.1:1\n' "$REGISTRY" >a.yaml
	settings a.yaml
	not_pulled ann.json "$REGISTRY/team/app:1" "http://127.0.0.1:1/team/app@"
	# a longer answer than any signature
	mkdir -p "look/team/app@sha256=${digest#*:}"
	head -c 200000 /dev/zero >"look/team/app@sha256=${digest#*:}/signature-1"
	printf 'docker:\n  %s:\n    lookaside: http://127.0.0.1:%s\n' "$REGISTRY" "$port" >a.yaml
	settings a.yaml
	not_pulled ann.json "$REGISTRY/team/app:1" "signature-1"
}
