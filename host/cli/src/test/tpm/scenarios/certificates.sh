# The endorsement keys that tools make are those that the certificates are for.
tpm2 getekcertificate --raw -o rsa.der -o ecc.der
for key in "rsa rsa.der 2048" "ecc ecc.der 256"; do
    set -- $key
    tpm2 createek -Q -c ek.ctx -G "$1" -u ek.der -f der
    # The public key's bytes, without the headers around them.
    tail -c 64 ek.der | od -An -v -tx1 | tr -d ' \n' >key.hex
    od -An -v -tx1 "$2" | tr -d ' \n' >certificate.hex
    grep -q -F -f key.hex certificate.hex || fail "the certificate for $1 is for another key"
done
