# What all scenarios of tpm2-tools share: a device in a folder of its own.
#
# From outside come SVSM (our program), PROTOCOL (what it speaks), TCTI (the
# module of tpm2-tools that speaks it) and tpm2 on the PATH; and DEVICE, if the
# device shall not be a new one but the copy of another, whose state is there.
set -eu
server=

# Serves the device of this folder and starts it up; more options may follow.
serve() {
    # Here, not by the program that starts: what is said must be new.
    : >serve.out
    "$SVSM" tpm serve --state state --manufacture --no-sync --startup state --log commands.log \
        --protocol "$PROTOCOL" --port 0 "$@" >>serve.out 2>&1 &
    server=$!
    until grep -q '^ready$' serve.out; do
        kill -0 "$server" 2>/dev/null || fail "the device does not serve: $(cat serve.out)"
        sleep 0.02
    done
    port=$(sed -n 's/.* commands: .*:\([0-9]*\)$/\1/p' serve.out)
    export TPM2TOOLS_TCTI="$TCTI:port=$port"
}

# Ends the device as a power cut does, but for what the operating system holds.
stop() {
    kill "$server"
    wait "$server" || fail "the device ended badly: $(cat serve.out)"
    server=
}

fail() {
    echo "FAILED: $*"
    exit 1
}

# One tool. Without a resource manager below it what it loads would stay, so it
# is flushed afterwards; contexts in files bring it back.
tpm2() {
    command tpm2 "$@" || return
    command tpm2 flushcontext -t
}

# What has to fail, with this in its message.
refused() {
    expected=$1
    shift
    if "$@" >refused.out 2>&1; then
        fail "succeeded, but should not have: $*"
    fi
    grep -q -i -e "$expected" refused.out || fail "not refused for $expected: $* said $(cat refused.out)"
}

# Two files that have to be the same.
same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}

trap '[ -z "$server" ] || kill "$server"' EXIT
[ -z "${DEVICE-}" ] || cp -R "$DEVICE" state
serve
