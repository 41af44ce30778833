#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tokenserver.py KEY CERT [OPTION...]: a token server for docker-registry, as in Docker's "Token Authentication" and
"OAuth2 Token Authentication". User ann with password "secret" gets all that she asks for, and so does the refresh token
"refresh-ann"; who says nothing gets "pull". Each request is a line on standard output.

Options: short (tokens end after 1 second), noanonymous (who says nothing is refused), nooauth (POST is 404).
"""
import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse

KEY, CERT, OPTIONS = sys.argv[1], sys.argv[2], set(sys.argv[3:])
assert OPTIONS <= {'short', 'noanonymous', 'nooauth'}, OPTIONS


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def certificate():
    with open(CERT) as f:
        return ''.join(line.strip() for line in f if '-----' not in line)


def token(scopes, may_write):
    access = []
    for scope in scopes:
        kind, name, actions = scope.split(':', 1)[0], scope.split(':', 1)[1].rsplit(':', 1)[0], scope.rsplit(':', 1)[1]
        allowed = [a for a in actions.split(',') if may_write or a == 'pull']
        access.append({'type': kind, 'name': name, 'actions': allowed})
    now = int(time.time())
    head = {'typ': 'JWT', 'alg': 'RS256', 'x5c': [certificate()]}
    # The registry takes a minute of leeway: a short token has to be a minute old already.
    claims = {'iss': 'kist-test', 'sub': 'ann', 'aud': 'kist-test', 'nbf': now - 120, 'iat': now - 120,
              'exp': now - 58 if 'short' in OPTIONS else now + 300, 'jti': str(time.time_ns()), 'access': access}
    text = b64(json.dumps(head).encode()) + '.' + b64(json.dumps(claims).encode())
    sign = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', KEY], input=text.encode(), capture_output=True, check=True)
    return text + '.' + b64(sign.stdout)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes, user = query.get('scope', []), ''
        given = self.headers.get('Authorization', '')
        if given.startswith('Basic '):
            user = base64.b64decode(given[6:]).decode()
        print('GET', user or '-', ' '.join(scopes) or '-', flush=True)
        if user not in ('', 'ann:secret') or (not user and 'noanonymous' in OPTIONS):
            self.answer(401, {'errors': [{'code': 'UNAUTHORIZED', 'message': 'wrong user or password'}]})
        else:
            self.answer(200, {'token': token(scopes, bool(user)), 'expires_in': 1 if 'short' in OPTIONS else 300})

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get('Content-Length', 0))).decode())
        scopes = form.get('scope', [''])[0].split()
        print('POST', form.get('grant_type', ['-'])[0], ' '.join(scopes) or '-', flush=True)
        if 'nooauth' in OPTIONS:
            self.answer(404, {})
        elif form.get('refresh_token') == ['refresh-ann'] and form.get('service') == ['kist-test'] and form.get('client_id'):
            self.answer(200, {'access_token': token(scopes, True), 'expires_in': 300})
        else:
            self.answer(401, {'errors': [{'code': 'UNAUTHORIZED', 'message': 'no such refresh token'}]})


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(f'listening on 127.0.0.1:{server.server_address[1]}', flush=True)
server.serve_forever()
