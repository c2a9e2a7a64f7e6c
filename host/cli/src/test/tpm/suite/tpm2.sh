# What tpm2-tools' own tests call `tpm2`. Objects and sessions that the tool
# before has left loaded are flushed first, which a resource manager does below
# its clients. Symbolic links to this file have the names of single tools.
if [ -n "${TPM2TOOLS_TCTI-}" ]; then
    name=tpm2
    run flushcontext -t >/dev/null 2>&1
    run flushcontext -l >/dev/null 2>&1
fi
name=$0
run "$@"
