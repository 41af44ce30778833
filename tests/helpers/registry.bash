# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Registries on loopback: Debian's docker-registry, plain, with Basic authentication, with tokens, with TLS from a CA of
# the test's own. Loaded after common.bash; suites that load it end each test by registry_teardown (or call it in their
# own teardown). Each registry takes a free port, so that suites can run at the same time.

REGISTRY_PIDS=()
REGISTRY_HELPERS=${BASH_SOURCE[0]%/*}

setup() { registry_setup; }
teardown() { registry_teardown; }

# registry_setup: kist_setup, and no credentials or settings but the test's own
registry_setup() {
	kist_setup
	mkdir -p home
	export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/xdg
	export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	: >"$CONTAINERS_REGISTRIES_CONF"
	unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME
	unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
}

registry_teardown() {
	local pid
	for pid in "${REGISTRY_PIDS[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	REGISTRY_PIDS=()
	kist_teardown
}

# registry_background LOG COMMAND...: runs it beside the test until registry_teardown
registry_background() {
	"${@:2}" >"$1" 2>&1 </dev/null 3>&- &
	REGISTRY_PIDS+=($!)
}

# registry_port LOG: waits for the line that tells the port, and prints it
registry_port() {
	wait_until 10 grep -q 'listening on' "$1" >&2 || return 1
	sed -n 's/.*listening on [^ "]*:\([0-9]\{1,\}\).*/\1/p' "$1" | head -n 1
}

# registry_ca: makes ca.crt, and server.crt with its key for localhost, signed by it
registry_ca() {
	[ ! -e ca.crt ] || return 0
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=kist test CA" \
		-keyout ca.key -out ca.crt 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
		-keyout server.key -out server.csr 2>/dev/null
	openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out server.crt \
		-extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") 2>/dev/null
}

# registry_start NAME [OPTION...]: starts a registry that keeps its files in ./NAME and sets REGISTRY to its localhost:PORT.
#   basic          asks for user "ann" with password "secret"
#   token=URL      sends callers to a token server (registry_tokens) for tokens
#   tls            speaks TLS, by server.crt
#   clients        besides, asks for a client's certificate signed by the CA
#   env VAR=VALUE  in the registry's environment, as REGISTRY_...
registry_start() {
	local name=$1 config=$1.yml word
	local -a environment=()
	shift
	mkdir -p "$name"
	cat >"$config" <<-E
		version: 0.1
		log: { level: info, accesslog: { disabled: false } }
		storage: { filesystem: { rootdirectory: "$PWD/$name" }, delete: { enabled: true } }
	E
	local tls=
	for word; do
		case $word in
		basic)
			htpasswd -Bbn -C 4 ann secret >"$name.htpasswd" 2>/dev/null
			echo "auth: { htpasswd: { realm: kist-test, path: \"$PWD/$name.htpasswd\" } }" >>"$config"
			;;
		token=*)
			echo "auth: { token: { realm: \"${word#token=}\", service: kist-test, issuer: kist-test, rootcertbundle: \"$PWD/token.crt\" } }" >>"$config"
			;;
		tls)
			registry_ca
			tls="tls: { certificate: \"$PWD/server.crt\", key: \"$PWD/server.key\" }"
			;;
		clients)
			tls="tls: { certificate: \"$PWD/server.crt\", key: \"$PWD/server.key\", clientcas: [\"$PWD/ca.crt\"] }"
			;;
		*=*) environment+=("$word") ;;
		*) fail "registry_start: $word" ;;
		esac
	done
	echo "http: { addr: \"127.0.0.1:0\", secret: kist-test${tls:+, $tls} }" >>"$config"
	: >"$name.log"
	registry_background "$name.log" env "${environment[@]}" docker-registry serve "$config"
	REGISTRY=localhost:$(registry_port "$name.log") || fail "$(cat "$name.log")"
}

# registry_tokens [OPTION...]: starts the token server (tests/helpers/tokenserver.py has its options) and sets TOKENS to
# its URL; what it was asked is in tokens.log
registry_tokens() {
	[ -e token.crt ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=kist test tokens" \
		-keyout token.key -out token.crt 2>/dev/null
	: >tokens.log
	registry_background tokens.log python3 "$REGISTRY_HELPERS/tokenserver.py" token.key token.crt "$@"
	TOKENS=http://localhost:$(registry_port tokens.log)/token || fail "$(cat tokens.log)"
}

# registry_log NAME: the requests that a registry got: method, path and status, one per line
registry_log() {
	sed -n 's/^[0-9.]* - [^"]*"\([A-Z]*\) \([^ ]*\) [^"]*" \([0-9]*\) .*/\1 \2 \3/p' "$1.log"
}
