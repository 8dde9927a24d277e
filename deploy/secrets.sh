#!/bin/sh
# Makes the secrets compose.yaml needs, once, and never writes over one:
#
#   sudo sh deploy/secrets.sh
#
# The files belong to the numbers the containers run as, and nobody else may
# read them; trygg refuses keys that others can read (S64).
set -eu
cd "$(dirname "$0")"
umask 077
trygg=65532 redis=999

mkdir -p secrets/trygg
chmod 0711 secrets

if [ ! -e secrets/redis-password ]; then
	od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >secrets/redis-password
	printf 'redis://:%s@redis:6379/0' "$(cat secrets/redis-password)" >secrets/redis-url
	echo "made secrets/redis-password and secrets/redis-url"
fi
chown $redis secrets/redis-password
chown $trygg secrets/redis-url secrets/trygg
chmod 0400 secrets/redis-password secrets/redis-url

if [ ! -e secrets/trygg/keys ]; then
	# The program of the image makes them; a trygg on this machine can be named
	# instead: TRYGG=/usr/local/bin/trygg sh deploy/secrets.sh
	if [ -n "${TRYGG:-}" ]; then
		"$TRYGG" keys new secrets/trygg/keys
	else
		docker build --quiet --tag localhost/trygg:latest .. >/dev/null
		docker run --rm --network none --user $trygg --volume "$PWD/secrets/trygg:/keys" localhost/trygg:latest keys new /keys/keys
	fi
	echo "made secrets/trygg/keys: keep a copy of it in a safe place, away from every backup of Redis"
fi
chown $trygg secrets/trygg/keys
chmod 0600 secrets/trygg/keys
