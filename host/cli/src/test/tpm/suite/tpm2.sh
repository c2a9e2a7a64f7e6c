# What tpm2-tools' own tests call `tpm2`. Objects and sessions that the tool
# before has left loaded are flushed first, which a resource manager does below
# its clients; but not while another tool runs, as in a pipeline, for those would
# be its own. Symbolic links to this file have the names of single tools.
if [ -n "${TPM2TOOLS_TCTI-}" ]; then
    exec 9>"$TMPDIR/tools.lock"
    if flock --nonblock --exclusive 9; then
        name=tpm2
        run flushcontext -t >/dev/null 2>&1
        run flushcontext -l >/dev/null 2>&1
    fi
    flock --shared 9
fi
name=$0
run "$@"
