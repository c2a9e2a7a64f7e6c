# Fetches an attestation report, for the test step `snp-attest`. A line before
# this one sets `nonce`, in escapes of printf.
dmesg -n 1
entry=/sys/kernel/config/tsm/report/test
hexadecimal() { hexdump -v -e '/1 "%02x"'; }

mkdir "$entry" || exit 1
printf '%b' "$nonce" > "$entry/inblob" || exit 2
cat "$entry/outblob" > /tmp/report || exit 3
cat "$entry/auxblob" > /tmp/certificates || exit 4
echo "provider: $(cat "$entry/provider")"
echo "report: $(hexadecimal < /tmp/report)"
echo "certificates: $(hexadecimal < /tmp/certificates)"
exit 42
