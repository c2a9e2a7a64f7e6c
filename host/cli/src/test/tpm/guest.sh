# What a guest finds of its TPM, for the test step `tpm`.
echo "version: $(cat /sys/class/tpm/tpm0/tpm_version_major)"
# TPM2_GetRandom of 8 bytes: tag, size and code of the response.
exec 3<>/dev/tpm0
printf '\200\001\000\000\000\014\000\000\001\173\000\010' >&3
set -- $(dd bs=4096 count=1 2>/dev/null <&3 | od -An -v -tx1)
echo "random: $1$2 $((0x$3$4$5$6)) ${7}${8}${9}${10}"
# TPM2_PCR_Extend of PCR 16 in SHA-256 with 32 bytes of 0xaa.
{
    printf '\200\002\000\000\000\101\000\000\001\202\000\000\000\020\000\000\000\011'
    printf '\100\000\000\011\000\000\000\000\000\000\000\000\001\000\013'
    printf '\252%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
} >/extend
cat /extend >&3
dd bs=4096 count=1 2>/dev/null <&3 >/dev/null
exec 3>&-
echo "pcr 16: $(cat /sys/class/tpm/tpm0/pcr-sha256/16)"
echo "complaints: $(dmesg | grep -ciE 'tpm.*(error|fail|timeout)')"
exit 42
