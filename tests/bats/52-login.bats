#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kist login and logout: at registries with Basic authentication, with tokens, behind TLS and proxies; the files and
# helpers that podman, skopeo and Docker share.

load ../helpers/common
load ../helpers/registry

AUTH=xdg/containers/auth.json

# podman leaves folders of its own in /run, which is the suite's
teardown() {
	rm -rf /run/containers /run/libpod
	registry_teardown
}

# login ARG...: as ann, with the password that she has
login() {
	kist login --tls-verify=false -u ann --password-stdin "$@" <<<secret
}

# typed ANSWERS COMMAND...: runs it on a terminal, and answers each question (a line that ends in ": ") by the next of
# ANSWERS, one per line
typed() {
	python3 - "$@" <<-'P'
	import os, pty, sys
	answers = sys.argv[1].split("\n")
	pid, master = pty.fork()
	if pid == 0:
	    os.execvp(sys.argv[2], sys.argv[2:])
	seen = shown = b""
	while True:
	    try:
	        data = os.read(master, 4096)
	    except OSError:
	        break
	    if not data:
	        break
	    seen += data
	    shown += data
	    if seen.endswith(b": ") and answers:
	        seen = b""
	        os.write(master, answers.pop(0).encode() + b"\n")
	sys.stdout.write(shown.decode().replace("\r\n", "\n"))
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	P
}

@test "Basic: only what the registry takes is kept, with mode 600, for podman and skopeo too" {
	registry_start one basic
	run kist login --tls-verify=false -u ann --password-stdin "$REGISTRY" <<<wrong
	assert_failure 1
	assert_output "kist: login: $REGISTRY does not take this user and password"
	assert_not_exist $AUTH
	run kist login --get-login "$REGISTRY"
	assert_failure 1
	assert_output "kist: login: not logged in to $REGISTRY"
	run login "$REGISTRY"
	assert_success
	assert_output "Login Succeeded!"
	assert_equal "$(stat -c '%a' $AUTH xdg/containers)" $'600\n700'
	assert_equal "$(jq -r ".auths[\"$REGISTRY\"].auth" $AUTH | base64 -d)" ann:secret
	run kist login --get-login "$REGISTRY"
	assert_output ann
	run skopeo login --get-login "$REGISTRY"
	assert_output ann
	run --separate-stderr podman login --get-login "$REGISTRY"
	assert_output ann
	run registry_log one
	assert_output $'GET /v2/ 401\nGET /v2/ 401\nGET /v2/ 401\nGET /v2/ 200'
}

@test "what podman has kept, kist has, and the other way about" {
	registry_start one basic
	podman login --tls-verify=false -u ann -p secret "$REGISTRY"
	run kist login --tls-verify=false "$REGISTRY" </dev/null
	assert_success
	assert_output --partial "Existing credentials are valid. Already logged in to $REGISTRY"
	run kist logout "$REGISTRY"
	assert_output "Removed login credentials for $REGISTRY"
	run --separate-stderr podman login --get-login "$REGISTRY"
	assert_failure
	login "$REGISTRY"
	run podman logout "$REGISTRY"
	assert_success
	run kist login --get-login "$REGISTRY"
	assert_failure 1
}

@test "questions on a terminal: the password is not shown" {
	registry_start one basic
	run typed $'ann\nsecret' "$KIST" login --tls-verify=false "$REGISTRY"
	assert_success
	assert_output $'Username: ann\nPassword: \nLogin Succeeded!'
	run typed secret "$KIST" login --tls-verify=false -u ann "$REGISTRY"
	assert_output $'Password: \nLogin Succeeded!'
	# what is kept and not good any more is asked for again
	jq ".auths[\"$REGISTRY\"].auth = \"$(printf ann:old | base64)\"" $AUTH >new && mv new $AUTH
	run typed $'ann\nsecret' "$KIST" login --tls-verify=false "$REGISTRY"
	assert_success
	assert_line "$REGISTRY: it does not take them any more"
	assert_line 'Login Succeeded!'
	# a question that is broken off leaves the terminal as it was
	# shellcheck disable=SC2016
	run typed $'\x03' bash -c 'trap : INT; "$KIST" login --tls-verify=false -u ann localhost:1 </dev/tty; stty -a | grep -o " -*echo "'
	assert_output --partial ' echo '
}

@test "pull and push ask for the password that --creds leaves out" {
	registry_start one basic
	run typed secret "$KIST" --store "$KIST_STORE" pull --tls-verify=false --creds ann "$REGISTRY/app:1"
	assert_failure 1
	assert_output --regexp "Password: "$'\n'"kist: pull $REGISTRY/app:1: app:1: $REGISTRY has no such thing"
	run kist pull --tls-verify=false --creds ann "$REGISTRY/app:1" </dev/null
	assert_failure 1
	assert_output 'kist: option --creds: expected USER:PASSWORD, and there is no terminal to ask for the password'
	run kist push --tls-verify=false --creds ann "$REGISTRY/app:1" </dev/null
	assert_failure 1
	assert_output --partial 'no terminal to ask'
}

@test "tokens: the registry's token server judges" {
	registry_tokens
	registry_start one "token=$TOKENS"
	run kist login --tls-verify=false -u ann -p wrong "$REGISTRY"
	assert_failure 1
	assert_output "kist: login: $REGISTRY does not take this user and password"
	run login "$REGISTRY"
	assert_success
	run cat tokens.log
	assert_line 'GET ann:wrong -'
	assert_line 'GET ann:secret -'
}

@test "TLS: an unknown CA is refused; --cert-dir and certs.d name it; a client's certificate" {
	registry_start one tls basic
	run kist login -u ann -p secret "$REGISTRY"
	assert_failure 1
	assert_output --regexp "^kist: login: $REGISTRY \(certificates for it: in /etc/containers/certs.d/$REGISTRY, or by --cert-dir\): .*certificate"
	mkdir certs
	cp ca.crt certs/
	run kist login -u ann -p secret --cert-dir certs "$REGISTRY"
	assert_success
	SSL_CERT_FILE=$PWD/ca.crt run kist login -u ann -p secret "$REGISTRY"
	assert_success
	mkdir -p "home/.config/containers/certs.d/$REGISTRY"
	cp ca.crt "home/.config/containers/certs.d/$REGISTRY/"
	run kist login -u ann -p secret "$REGISTRY"
	assert_success
	run kist login --tls-verify=false -u ann -p secret "$REGISTRY"
	assert_success
	# no TLS at all is no way out of a CA that is not known
	rm -r home/.config
	echo "[[registry]]
		location = '$REGISTRY'
		insecure = true" >registries.conf
	run kist login -u ann -p secret "$REGISTRY"
	assert_success
	run kist login --tls-verify -u ann -p secret "$REGISTRY"
	assert_failure 1
	registry_start two clients
	run kist login -u ann -p secret --cert-dir certs "$REGISTRY"
	assert_failure 1
	assert_output --partial 'alert'
	refute_output --partial 'again in'
	cp server.crt certs/me.cert
	run kist login -u ann -p secret --cert-dir certs "$REGISTRY"
	assert_output 'kist: login: certs/me.cert: its key me.key: No such file or directory'
	cp server.key certs/me.key
	run kist login -u ann -p secret --cert-dir certs "$REGISTRY"
	assert_success
	run kist login -u ann -p secret --cert-dir nosuch "$REGISTRY"
	assert_output 'kist: login: --cert-dir nosuch: no such directory'
}

@test "plain HTTP: by --tls-verify=false or registries.conf only, and it is told so" {
	registry_start one basic
	run kist login -u ann -p secret "$REGISTRY"
	assert_failure 1
	assert_output --regexp "^kist: login: $REGISTRY: no TLS \(.*\); --tls-verify=false allows plain HTTP, which is safe on this machine, and so does insecure = true for it in registries.conf$"
	run registry_log one
	assert_output ''
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >registries.conf
	run kist login -u ann -p secret "$REGISTRY"
	assert_success
	printf '[[registry]]\nlocation = "localhost"\nblocked = true\n' >registries.conf
	run kist login -u ann -p secret "localhost/x"
	assert_output 'kist: login: localhost/x: blocked by registries.conf (prefix localhost)'
}

@test "a credential helper keeps, finds and erases" {
	registry_start one basic
	mkdir bin
	cat >bin/docker-credential-kt <<-'E'
		#!/bin/bash
		# one host in one file
		case $1 in
		store) cat >secret.json ;;
		get)
			read -r host
			[ -e secret.json ] && [ "$(jq -r .ServerURL secret.json)" = "$host" ] || { echo "credentials not found in native keychain"; exit 1; }
			cat secret.json
			;;
		erase) rm secret.json ;;
		esac
	E
	chmod +x bin/docker-credential-kt
	export PATH=$PWD/bin:$PATH
	jq -n "{credHelpers: {\"$REGISTRY\": \"kt\"}, other: [1]}" >auth.json
	export REGISTRY_AUTH_FILE=$PWD/auth.json
	cp auth.json before
	run login "$REGISTRY"
	assert_success
	assert_equal "$(jq -c . secret.json)" "{\"ServerURL\":\"$REGISTRY\",\"Username\":\"ann\",\"Secret\":\"secret\"}"
	cmp auth.json before
	run kist login --tls-verify=false "$REGISTRY" </dev/null
	assert_output --partial 'Already logged in'
	run kist logout "$REGISTRY"
	assert_success
	assert_not_exist secret.json
	# credsStore is for all hosts
	jq -n '{credsStore: "kt"}' >auth.json
	run login "$REGISTRY"
	assert_success
	assert_exist secret.json
	# one that fails says why, and nothing is kept elsewhere
	printf '#!/bin/sh\necho "the keychain is locked"; exit 1\n' >bin/docker-credential-kt
	run login "$REGISTRY"
	assert_failure 1
	assert_output 'kist: login: docker-credential-kt store: the keychain is locked'
	assert_equal "$(jq -c . auth.json)" '{"credsStore":"kt"}'
}

@test "the file keeps what others have in it, and links stay links" {
	registry_start one basic
	mkdir real
	jq -n '{auths: {"quay.io/team": {auth: "cTpw"}, "https://index.docker.io/v1/": {auth: "ZDpw"}}, psFormat: "x", proxies: {a: 1}}' >real/auth.json
	chmod 644 real/auth.json
	ln -s real/auth.json link.json
	run login --authfile link.json "$REGISTRY"
	assert_success
	assert_equal "$(readlink link.json)" real/auth.json
	assert_equal "$(stat -c %a real/auth.json)" 600
	assert_equal "$(jq -c 'del(.auths[])' real/auth.json)" '{"auths":{},"psFormat":"x","proxies":{"a":1}}'
	assert_equal "$(jq -r '.auths | keys | sort | join(" ")' real/auth.json)" "https://index.docker.io/v1/ $REGISTRY quay.io/team"
	assert_equal "$(ls -A real)" auth.json
	run kist login --get-login --authfile link.json quay.io/team/x
	assert_output q
	run kist login --get-login --authfile link.json quay.io/other
	assert_failure 1
	run kist login --get-login --authfile link.json
	assert_output d
	run kist logout --authfile link.json docker.io
	assert_output 'Removed login credentials for docker.io'
	run kist logout --authfile link.json docker.io
	assert_failure 1
	assert_output 'kist: logout: not logged in to docker.io'
	run kist logout --all --authfile link.json
	assert_output 'Removed login credentials for all registries'
	assert_equal "$(jq -c .auths real/auth.json)" '{}'
}

@test "credentials of Docker's are found, and stay where they are" {
	mkdir -p home/.docker
	jq -n '{auths: {"a.test": {auth: "ZDpw"}}}' >home/.docker/config.json
	run kist login --get-login a.test
	assert_output d
	run kist logout a.test
	assert_failure 1
	assert_output "kist: logout: not logged in to a.test by kist: its credentials are in $HOME/.docker/config.json: auths.a.test (--authfile names a file)"
	assert_equal "$(jq -r '.auths["a.test"].auth' home/.docker/config.json)" ZDpw
}

@test "twenty logins at once lose none" {
	registry_start one basic
	local i
	local -a pids=()
	for i in {1..20}; do
		login "$REGISTRY/team$i" >/dev/null 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	assert_equal "$(jq '.auths | length' $AUTH)" 20
	assert_equal "$(ls -A xdg/containers)" auth.json
}

@test "a proxy: HTTP_PROXY and NO_PROXY; what is on this machine is never asked through one" {
	python3 -u - >proxy.log 2>&1 <<-'P' 3>&- &
	import http.server
	class H(http.server.BaseHTTPRequestHandler):
	    def log_message(self, *a): pass
	    def do_GET(self):
	        print(self.command, self.path, flush=True)
	        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'{}')
	s = http.server.HTTPServer(('127.0.0.1', 0), H)
	print(f'listening on 127.0.0.1:{s.server_address[1]}', flush=True)
	s.serve_forever()
	P
	REGISTRY_PIDS+=($!)
	local port
	port=$(registry_port proxy.log)
	registry_start one basic
	HTTP_PROXY=http://127.0.0.1:$port run login kist-test.invalid:8080
	assert_success
	HTTP_PROXY=http://127.0.0.1:$port HTTPS_PROXY=http://127.0.0.1:$port run login "$REGISTRY"
	assert_success
	HTTP_PROXY=http://127.0.0.1:$port NO_PROXY=kist-test.invalid run login kist-test.invalid:8080
	assert_failure 1
	assert_output --partial 'kist-test.invalid'
	run tail -n +2 proxy.log
	assert_output 'GET http://kist-test.invalid:8080/v2/'
}

@test "what a registry wants people to know is told once, and bends no terminal" {
	python3 -u - >server.log 2>&1 <<-'P' 3>&- &
	import http.server
	class H(http.server.BaseHTTPRequestHandler):
	    def log_message(self, *a): pass
	    def do_GET(self):
	        self.send_response(200)
	        self.send_header('Warning', '299 - "it \\"ends\\" \x1b[31m soon"')
	        self.send_header('Warning', '199 - "for programs", 299 - "it moves"')
	        self.send_header('Warning', '299 - "it moves"')
	        self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'{}')
	s = http.server.HTTPServer(('127.0.0.1', 0), H)
	print(f'listening on 127.0.0.1:{s.server_address[1]}', flush=True)
	s.serve_forever()
	P
	REGISTRY_PIDS+=($!)
	local port
	port=$(registry_port server.log)
	run login "localhost:$port"
	assert_success
	assert_output "kist: warning: localhost:$port says: it \"ends\" ?[31m soon
kist: warning: localhost:$port says: it moves
Login Succeeded!"
}

@test "wrong words are told" {
	run kist login -u ann --password-stdin a.test </dev/null
	assert_failure 1
	assert_output 'kist: login: option --password-stdin: no password'
	run kist login -p secret a.test
	assert_failure 2
	assert_line 'kist: login: option --password: needs -u USER'
	run kist login -u ann -p x --password-stdin a.test
	assert_failure 2
	run kist login -u a:b -p x a.test
	assert_output 'kist: login: user "a:b": a colon in it'
	run kist login -u ann a.test </dev/null
	assert_output 'kist: login: no terminal to ask for the password: give -u USER and --password-stdin'
	run kist login -u ann -p x nodots
	assert_output --partial 'kist: login: "nodots": expected HOST[:PORT][/PATH]'
	run kist login -u ann -p x 'http://a b'
	assert_failure 1
	run kist logout --all a.test
	assert_failure 2
	run kist login -u ann -p x kist-test.invalid
	assert_failure 1
	assert_output --partial 'kist: login: kist-test.invalid: Could not resolve host'
	echo 'unqualified-search-registries = [' >registries.conf
	run kist login --get-login a.test
	assert_output "kist: login: $PWD/registries.conf:2: expected a value"
	rm registries.conf
	run kist login --get-login a.test
	assert_output "kist: login: \$CONTAINERS_REGISTRIES_CONF: $PWD/registries.conf: no such file"
}
