# One of tpm2-tools' own tests: the script whose file is SCRIPT, with their
# source at abs_srcdir.
unset TPM2TOOLS_TCTI TPM2_ABRMD TPM2_SIM TPM2_SIMPORT
export TPM2TOOLS_TEST_TCTI="$TCTI:port=$port" TPM2_TOOLS_TEST_FIXTURES="$FIXTURES"
# Some want the device reset afterwards; the next script has another one.
export TPM2TOOLS_TEST_PERSISTENT=true
export PYTHON=python TMPDIR="$PWD" srcdir="$abs_srcdir"
status=0
bash "$SCRIPT" || status=$?
stop
exit "$status"
