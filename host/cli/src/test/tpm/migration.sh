# What a guest that is moved to another QEMU finds of its TPM.
exec 3<>/dev/tpm0
# Sends a command, as printf takes it, and gives what is behind the response's code.
execute() {
    printf "$1" >/command
    cat /command >&3
    dd bs=4096 count=1 2>/dev/null <&3 | od -An -v -tx1 | tr -d ' \n' | tail -c +21
}
password='\000\000\000\011\100\000\000\011\000\000\000\000\000'
# TPM2_HashSequenceStart, with SHA-256 and no password.
handle=$(execute '\200\001\000\000\000\016\000\000\001\206\000\000\000\013')
echo "sequence: $handle"
# TPM2_SequenceUpdate with "abc".
execute "\\200\\002\\000\\000\\000\\040\\000\\000\\001\\134\\200\\000\\000\\000$password\\000\\003abc" >/dev/null
# TPM2_PCR_Extend of PCR 16 in SHA-256 with 32 bytes of 0xaa.
digest=$(printf '\\252%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
execute "\\200\\002\\000\\000\\000\\101\\000\\000\\001\\202\\000\\000\\000\\020$password\\000\\000\\000\\001\\000\\013$digest" >/dev/null
until read -r -t 1 line; do
    echo "waiting"
done
# TPM2_SequenceComplete: the digest is behind two sizes.
echo "digest: $(execute "\\200\\002\\000\\000\\000\\041\\000\\000\\001\\076\\200\\000\\000\\000$password\\000\\000\\100\\000\\000\\007" | cut -c13-76)"
exec 3>&-
echo "pcr 16: $(cat /sys/class/tpm/tpm0/pcr-sha256/16)"
echo "complaints: $(dmesg | grep -ciE 'tpm.*(error|fail|timeout)')"
exit 42
